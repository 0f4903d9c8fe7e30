/* A program like any other that uses the Xsocket API: echo server and client on streams and datagrams, chunks put and fetched.
 * Usage: xsocket_test ROLE ARGUMENT…; prints "ok" and exits 0, or says what failed and exits 1. */
#include "Xsocket.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECES 200
#define PIECE 1200
#define CHUNKS 20
#define CHUNK 12000

static void check(int good, const char *what) {
  if (!good) {
    fprintf(stderr, "%s failed: errno %d (%s)\n", what, errno, strerror(errno));
    exit(1);
  }
}

static void resolve(const char *dag, sockaddr_x *out) {
  struct addrinfo hints = {.ai_family = AF_XIA, .ai_flags = XAI_DAGHOST};
  struct addrinfo *found = NULL;
  check(Xgetaddrinfo(dag, NULL, &hints, &found) == 0, "Xgetaddrinfo");
  memcpy(out, found->ai_addr, sizeof *out);
  Xfreeaddrinfo(found);
}

/* The address of a service on this host. */
static void own(const char *sid, sockaddr_x *out) {
  struct addrinfo *found = NULL;
  check(Xgetaddrinfo(NULL, sid, NULL, &found) == 0, "Xgetaddrinfo of the local host");
  memcpy(out, found->ai_addr, sizeof *out);
  Xfreeaddrinfo(found);
}

static void ready(void) {
  puts("ready");
  fflush(stdout);
}

static void stream_server(const char *sid) {
  sockaddr_x here;
  sockaddr_x peer;
  socklen_t length = sizeof peer;
  char buffer[XIA_MAXBUF];
  own(sid, &here);
  int listening = Xsocket(AF_XIA, XSOCK_STREAM, 0);
  check(listening >= 0, "Xsocket");
  check(Xbind(listening, (struct sockaddr *)&here, sizeof here) == 0, "Xbind");
  check(Xlisten(listening, 5) == 0, "Xlisten");
  ready();
  int fd = Xaccept(listening, (struct sockaddr *)&peer, &length);
  check(fd >= 0, "Xaccept");
  check(peer.sx_family == AF_XIA && peer.sx_addr.s_count >= 3, "the peer's address");
  for (long left = (long)PIECES * PIECE; left > 0;) {
    int got = Xrecv(fd, buffer, sizeof buffer, 0);
    check(got > 0, "Xrecv");
    for (int sent = 0; sent < got;) {
      int n = Xsend(fd, buffer + sent, (size_t)(got - sent), 0);
      check(n > 0, "Xsend");
      sent += n;
    }
    left -= got;
  }
  check(Xclose(fd) == 0 && Xclose(listening) == 0, "Xclose");
}

static void stream_client(const char *dag) {
  sockaddr_x server;
  sockaddr_x name;
  socklen_t length = sizeof name;
  char out[PIECE];
  char in[PIECE];
  resolve(dag, &server);
  int fd = Xsocket(AF_XIA, XSOCK_STREAM, 0);
  check(fd >= 0, "Xsocket");
  check(Xsend(fd, "x", 1, 0) == -1 && errno == ENOTCONN, "Xsend before Xconnect");
  check(Xconnect(fd, (struct sockaddr *)&server, sizeof server) == 0, "Xconnect");
  check(Xgetpeername(fd, (struct sockaddr *)&name, &length) == 0, "Xgetpeername");
  check(memcmp(&name, &server, 8 + 28 * (size_t)server.sx_addr.s_count) == 0, "the peer's name");
  for (int i = 0; i < PIECES; i++) {
    memset(out, i, sizeof out);
    check(Xsend(fd, out, sizeof out, 0) == (int)sizeof out, "Xsend");
    for (size_t got = 0; got < sizeof in;) {
      int n = Xrecv(fd, in + got, sizeof in - got, 0);
      check(n > 0, "Xrecv");
      got += (size_t)n;
    }
    check(memcmp(in, out, sizeof in) == 0, "the echoed bytes");
  }
  check(Xclose(fd) == 0, "Xclose");
}

static void dgram_server(const char *sid) {
  sockaddr_x here;
  sockaddr_x peer;
  char buffer[XIA_MAXBUF];
  own(sid, &here);
  int fd = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
  check(fd >= 0 && Xbind(fd, (struct sockaddr *)&here, sizeof here) == 0, "Xbind");
  ready();
  for (int i = 0; i < PIECES; i++) {
    socklen_t length = sizeof peer;
    int got = Xrecvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length);
    check(got > 0, "Xrecvfrom");
    check(Xsendto(fd, buffer, (size_t)got, 0, (struct sockaddr *)&peer, length) == got, "Xsendto");
  }
  check(Xclose(fd) == 0, "Xclose");
}

static void dgram_client(const char *dag) {
  sockaddr_x server;
  char out[PIECE];
  char in[PIECE + 1];
  resolve(dag, &server);
  int fd = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
  check(fd >= 0, "Xsocket");
  for (int i = 0; i < PIECES; i++) {
    memset(out, i, sizeof out);
    check(Xsendto(fd, out, sizeof out, 0, (struct sockaddr *)&server, sizeof server) == PIECE, "Xsendto");
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    check(Xpoll(&wait, 1, 5000) == 1, "Xpoll");
    if (i == 0) {
      check(Xrecvfrom(fd, in, sizeof in, MSG_PEEK, NULL, NULL) == PIECE, "Xrecvfrom with MSG_PEEK");
    }
    check(Xrecvfrom(fd, in, sizeof in, 0, NULL, NULL) == PIECE && memcmp(in, out, PIECE) == 0, "Xrecvfrom");
  }
  check(Xclose(fd) == 0, "Xclose");
}

static void put(void) {
  char *data = malloc((size_t)CHUNKS * CHUNK);
  ChunkInfo *infos = NULL;
  ChunkContext *slice = XallocCacheSlice(POLICY_LRU | POLICY_REMOVE_ON_EXIT, 100, 1 << 20);
  check(data != NULL && slice != NULL, "XallocCacheSlice");
  for (int i = 0; i < CHUNKS * CHUNK; i++) {
    data[i] = (char)(i * 7 + i / CHUNK);
  }
  int count = XputBuffer(slice, data, CHUNKS * CHUNK, CHUNK, &infos);
  check(count == CHUNKS, "XputBuffer");
  for (int i = 0; i < count; i++) {
    check(infos[i].size == CHUNK && strlen(infos[i].cid) == CID_HASH_SIZE, "ChunkInfo");
    printf("cid %s\n", infos[i].cid);
  }
  ready();
  getchar(); /* until the fetching side is done */
  check(XremoveChunk(slice, infos[0].cid) == 0, "XremoveChunk");
  XfreeChunkInfo(infos);
  check(XfreeCacheSlice(slice) == 0, "XfreeCacheSlice");
  free(data);
}

static void get(int argc, char **dags) {
  char buffer[XIA_MAXCHUNK];
  ChunkStatus statuses[CHUNKS];
  int fd = Xsocket(AF_XIA, XSOCK_CHUNK, 0);
  check(fd >= 0 && argc <= CHUNKS, "Xsocket");
  for (int i = 0; i < argc; i++) {
    statuses[i] = (ChunkStatus){dags[i], strlen(dags[i]), 0};
  }
  check(XgetChunkStatus(fd, dags[0], strlen(dags[0])) == REQUEST_FAILED, "the status of a chunk not asked for");
  check(XrequestChunks(fd, statuses, argc) == 0, "XrequestChunks");
  int status = WAITING_FOR_CHUNK;
  for (int i = 0; i < 500 && (status & WAITING_FOR_CHUNK) != 0; i++) {
    usleep(10000);
    status = XgetChunkStatuses(fd, statuses, argc);
  }
  check(status == READY_TO_READ, "XgetChunkStatuses");
  for (int i = 0; i < argc; i++) {
    check(XreadChunk(fd, buffer, sizeof buffer, 0, dags[i], strlen(dags[i])) == CHUNK, "XreadChunk");
    for (int k = 0; k < CHUNK; k++) {
      int at = i * CHUNK + k;
      check(buffer[k] == (char)(at * 7 + at / CHUNK), "the chunk's bytes");
    }
  }
  check(Xclose(fd) == 0, "Xclose");
}

static void refuses(int result, int error, const char *what) {
  int got = errno;
  if (result != -1 || got != error) {
    fprintf(stderr, "%s: result %d, errno %d instead of %d\n", what, result, got, error);
    exit(1);
  }
}

/* What the calls refuse, as the prototype's do. */
static void errors(const char *sid) {
  sockaddr_x here;
  sockaddr_x empty = {.sx_family = AF_XIA};
  socklen_t length = sizeof here;
  int value = 256;
  char buffer[100] = {0};
  own(sid, &here);
  refuses(Xsocket(AF_INET, XSOCK_DGRAM, 0), EAFNOSUPPORT, "Xsocket of another family");
  refuses(Xsocket(AF_XIA, 5, 0), EINVAL, "Xsocket of type 5");
  refuses(Xsocket(AF_XIA, XSOCK_DGRAM, 1), EINVAL, "Xsocket with a protocol");
  refuses(Xclose(0), EBADF, "Xclose of something else");
  int fd = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
  int stream = Xsocket(AF_XIA, XSOCK_STREAM, 0);
  int chunks = Xsocket(AF_XIA, XSOCK_CHUNK, 0);
  check(fd >= 0 && stream >= 0 && chunks >= 0, "Xsocket");
  refuses(Xbind(fd, (struct sockaddr *)&here, 0), EINVAL, "Xbind without a length");
  refuses(Xbind(fd, NULL, sizeof here), EFAULT, "Xbind to nothing");
  refuses(Xbind(fd, (struct sockaddr *)&empty, sizeof empty), EINVAL, "Xbind to an empty DAG");
  refuses(Xconnect(fd, (struct sockaddr *)&here, sizeof here), EOPNOTSUPP, "Xconnect of a datagram socket");
  refuses(Xconnect(stream, NULL, 0), EINVAL, "Xconnect to nothing");
  refuses(Xaccept(stream, (struct sockaddr *)&here, NULL), EFAULT, "Xaccept without a length");
  refuses(Xaccept4(stream, NULL, NULL, 1), EINVAL, "Xaccept4 with flags");
  refuses(Xsend(stream, buffer, 1, MSG_DONTWAIT), EOPNOTSUPP, "Xsend with flags");
  refuses(Xsend(stream, NULL, 1, 0), EFAULT, "Xsend of nothing");
  refuses(Xsend(fd, buffer, 1, 0), EOPNOTSUPP, "Xsend of a datagram socket");
  refuses(Xrecv(stream, buffer, 1, 0), ENOTCONN, "Xrecv before Xconnect");
  refuses(Xrecv(stream, buffer, 1, MSG_DONTWAIT), EOPNOTSUPP, "Xrecv with flags");
  check(Xsend(stream, buffer, 0, 0) == 0 && Xrecv(stream, buffer, 0, 0) == 0, "calls of length 0");
  refuses(Xsendto(fd, buffer, 1, 0, (struct sockaddr *)&here, 10), EINVAL, "Xsendto with a short address");
  refuses(Xsendto(fd, buffer, 1, 1, (struct sockaddr *)&here, sizeof here), EINVAL, "Xsendto with flags");
  length = 10;
  refuses(Xrecvfrom(fd, buffer, 1, 0, (struct sockaddr *)&here, &length), EINVAL, "Xrecvfrom with a short address");
  refuses(Xrecvfrom(fd, buffer, 1, MSG_WAITALL, NULL, NULL), EINVAL, "Xrecvfrom with flags");
  refuses(Xgetpeername(stream, (struct sockaddr *)&here, NULL), EFAULT, "Xgetpeername without a length");
  length = sizeof here;
  refuses(Xgetpeername(stream, (struct sockaddr *)&empty, &length), ENOTCONN, "Xgetpeername before Xconnect");
  refuses(Xsetsockopt(fd, XOPT_HLIM, &value, sizeof value), EINVAL, "a hop limit of 256");
  value = 7;
  refuses(Xsetsockopt(fd, XOPT_HLIM, &value, 1), EINVAL, "an option of one byte");
  refuses(Xsetsockopt(fd, 99, &value, sizeof value), ENOPROTOOPT, "an unknown option");
  check(Xsetsockopt(fd, XOPT_HLIM, &value, sizeof value) == 0, "Xsetsockopt");
  value = 0;
  length = sizeof value;
  check(Xgetsockopt(fd, XOPT_HLIM, &value, &length) == 0 && value == 7, "Xgetsockopt");
  check(Xfcntl(fd, 3) == 0 && Xlisten(stream, 1) == 0, "calls that do nothing");
  refuses(XrequestChunk(fd, "RE", 2), EAFNOSUPPORT, "XrequestChunk of a datagram socket");
  refuses(XrequestChunks(chunks, NULL, 1), EFAULT, "XrequestChunks of nothing");
  check(checkXid("SID:0f00000000000000000000000000000000000888", "SID") == 1, "checkXid");
  check(checkXid("SID:0f", "SID") == 0 && checkXid("AD:0f00000000000000000000000000000000000888", "SID") == 0, "checkXid of a bad one");
  check(checkDag("RE ( AD:0f00000000000000000000000000000000000888 ) SID:0f00000000000000000000000000000000000888") == 1, "checkDag");
  check(checkDag("DAG 0 - ") == 0 && checkDag("RE AD:1") == 0, "checkDag of a bad one");
  struct addrinfo hints = {.ai_family = AF_INET};
  struct addrinfo *found = NULL;
  check(Xgetaddrinfo(NULL, NULL, NULL, &found) == 0 && found->ai_addrlen == 568, "Xgetaddrinfo of this host");
  Xfreeaddrinfo(found);
  check(Xgetaddrinfo(NULL, sid, &hints, &found) == EAI_FAMILY, "Xgetaddrinfo of another family");
  hints = (struct addrinfo){.ai_family = AF_XIA, .ai_flags = AI_CANONNAME};
  check(Xgetaddrinfo(NULL, sid, &hints, &found) == EAI_BADFLAGS, "Xgetaddrinfo with AI_CANONNAME and no name");
  hints = (struct addrinfo){.ai_family = AF_XIA, .ai_socktype = XSOCK_RAW};
  check(Xgetaddrinfo(NULL, sid, &hints, &found) == EAI_SOCKTYPE, "Xgetaddrinfo of raw sockets");
  check(Xgetaddrinfo(NULL, "SID:12", NULL, &found) == EAI_SERVICE, "Xgetaddrinfo of a bad service");
  check(Xgetaddrinfo("nobody.xia", NULL, NULL, &found) == EAI_NONAME, "Xgetaddrinfo of an unknown name");
  check(Xclose(fd) == 0 && Xclose(stream) == 0 && Xclose(chunks) == 0, "Xclose");
}

/* Pieces, peeking, waiting and forking with datagrams to oneself. */
static void datagrams(const char *sid) {
  sockaddr_x here;
  sockaddr_x from;
  socklen_t length = sizeof from;
  char out[PIECE];
  char in[PIECE];
  own(sid, &here);
  int fd = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
  int second = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
  check(Xbind(fd, (struct sockaddr *)&here, sizeof here) == 0, "Xbind");
  refuses(Xbind(second, (struct sockaddr *)&here, sizeof here), EADDRINUSE, "Xbind of a SID that is taken");
  for (int i = 0; i < PIECE; i++) {
    out[i] = (char)i;
  }
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  check(Xpoll(&wait, 1, 0) == 0, "Xpoll of nothing");
  check(Xsendto(second, out, PIECE, 0, (struct sockaddr *)&here, sizeof here) == PIECE, "Xsendto");
  check(Xpoll(&wait, 1, 5000) == 1, "Xpoll");
  check(Xrecvfrom(fd, in, 10, MSG_PEEK, (struct sockaddr *)&from, &length) == 10, "peeking");
  check(from.sx_family == AF_XIA && from.sx_addr.s_count >= 3, "the sender");
  check(Xrecvfrom(fd, in, 10, 0, NULL, NULL) == 10 && memcmp(in, out, 10) == 0, "the first ten bytes");
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  struct timeval now = {0, 0};
  check(poll(&wait, 1, 0) == 0 && Xpoll(&wait, 1, 0) == 1, "Xpoll of what the library holds");
  check(Xselect(fd + 1, &readable, NULL, NULL, &now) == 1 && FD_ISSET(fd, &readable), "Xselect of it");
  check(Xrecvfrom(fd, in, sizeof in, 0, NULL, NULL) == PIECE - 10 && memcmp(in, out + 10, PIECE - 10) == 0, "the rest");
  pid_t child = fork();
  if (child == 0) {
    _exit(Xsendto(second, "child", 5, 0, (struct sockaddr *)&here, sizeof here) == 5 ? 0 : 1);
  }
  int status = 1;
  check(waitpid(child, &status, 0) == child && status == 0, "Xsendto of a child");
  check(Xrecvfrom(fd, in, sizeof in, 0, NULL, NULL) == 5 && memcmp(in, "child", 5) == 0, "what the child sent");
  int many[500];
  for (int i = 0; i < 500; i++) {
    many[i] = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
    check(many[i] >= 0, "one of many sockets");
  }
  for (int i = 0; i < 500; i++) {
    check(Xclose(many[i]) == 0, "Xclose of one of many");
  }
  check(Xclose(fd) == 0 && Xclose(second) == 0, "Xclose");
}

static int bound(const char *sid, sockaddr_x *here) {
  own(sid, here);
  int fd = Xsocket(AF_XIA, XSOCK_STREAM, 0);
  check(fd >= 0 && Xbind(fd, (struct sockaddr *)here, sizeof *here) == 0, "Xbind");
  return fd;
}

/* Two listening sockets with several connections waiting, pieces, readiness and the end of a stream. */
static void streams(const char *sid, const char *other) {
  sockaddr_x one;
  sockaddr_x two;
  char text[64];
  int first = bound(sid, &one);
  int second = bound(other, &two);
  int clients[6];
  int servers[6];
  for (int i = 0; i < 6; i++) {
    clients[i] = Xsocket(AF_XIA, XSOCK_STREAM, 0);
    check(Xconnect(clients[i], (struct sockaddr *)(i < 3 ? &one : &two), sizeof one) == 0, "Xconnect");
    snprintf(text, sizeof text, "client %d", i);
    check(Xsend(clients[i], text, strlen(text), 0) == (int)strlen(text), "Xsend");
  }
  for (int i = 5; i >= 0; i--) { /* the second socket's connections first */
    servers[i] = Xaccept(i < 3 ? first : second, NULL, NULL);
    check(servers[i] >= 0, "Xaccept");
    int got = Xrecv(servers[i], text, 6, 0);
    check(got == 6 && memcmp(text, "client", 6) == 0, "a part of a piece");
    got = Xrecv(servers[i], text, sizeof text, 0);
    check(got == 2 && (text[1] - '0' < 3) == (i < 3), "a connection of the right socket");
  }
  int peer = -1;
  for (int i = 0; i < 3; i++) { /* accepted in any order: the one whose peer the child reads */
    sockaddr_x name;
    socklen_t length = sizeof name;
    check(Xgetsockname(clients[i], (struct sockaddr *)&name, &length) == 0, "Xgetsockname");
    sockaddr_x of;
    length = sizeof of;
    check(Xgetpeername(servers[0], (struct sockaddr *)&of, &length) == 0, "Xgetpeername");
    int last = name.sx_addr.s_count - 1;
    if (memcmp(&name.sx_addr.s_addr[last].s_xid, &of.sx_addr.s_addr[of.sx_addr.s_count - 1].s_xid, 24) == 0) {
      peer = clients[i];
    }
  }
  check(peer >= 0, "the client of the first connection");
  char *bulk = calloc(1, 300000);
  pid_t child = fork();
  if (child == 0) { /* takes what is sent below, so that reports come back */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    long left = 300000;
    while (left > 0) {
      int got = Xrecv(servers[0], bulk, 15600, 0);
      if (got <= 0) {
        _exit(1);
      }
      left -= got;
    }
    _exit(0);
  }
  for (long at = 0; at < 300000;) {
    long part = 300000 - at < 15000 ? 300000 - at : 15000;
    int sent = Xsend(peer, bulk + at, (size_t)part, 0);
    check(sent > 0, "Xsend of much");
    at += sent;
  }
  int status = 1;
  check(waitpid(child, &status, 0) == child && status == 0, "Xrecv of much by a child");
  struct pollfd wait = {.fd = peer, .events = POLLIN};
  check(poll(&wait, 1, 100) == 0, "a socket that only sent does not look readable");
  check(Xclose(servers[0]) == 0, "Xclose of the server's end");
  check(Xpoll(&wait, 1, 5000) == 1 && Xrecv(peer, text, sizeof text, 0) == 0, "the end of the stream");
  check(Xrecv(peer, text, sizeof text, 0) == 0, "the end of the stream, again");
  for (int i = 0; i < 6; i++) {
    check(Xclose(clients[i]) == 0 && (i == 0 || Xclose(servers[i]) == 0), "Xclose");
  }
  check(Xclose(first) == 0 && Xclose(second) == 0, "Xclose");
  free(bulk);
  char fresh[64];
  snprintf(fresh, sizeof fresh, "%s", other);
  fresh[strlen(fresh) - 3] = 'f'; /* not one whose old connections linger */
  first = bound(sid, &one);
  second = bound(fresh, &two);
  check(Xconnect(second, (struct sockaddr *)&one, sizeof one) == 0, "Xconnect of a bound socket");
  sockaddr_x name;
  socklen_t length = sizeof name;
  check(Xgetsockname(second, (struct sockaddr *)&name, &length) == 0, "Xgetsockname of it");
  check(memcmp(&name.sx_addr.s_addr[name.sx_addr.s_count - 1].s_xid, &two.sx_addr.s_addr[two.sx_addr.s_count - 1].s_xid, 24) == 0,
        "a bound socket connects from its SID");
  check(Xclose(first) == 0 && Xclose(second) == 0, "Xclose");
}

/* Two raw sockets: both hear the answer that one of them asked for. */
static void raws(const char *dag) {
  sockaddr_x host;
  socklen_t length = sizeof host;
  unsigned char message[64] = {8, 0, 0, 0, 0x34, 0x12, 1, 0};
  unsigned char answer[2000];
  int next = XPROTO_XCMP;
  check(XgetDAGbyName(dag, &host, &length) == 0, "the host's DAG");
  int fds[2];
  for (int i = 0; i < 2; i++) {
    fds[i] = Xsocket(AF_XIA, XSOCK_RAW, 0);
    check(fds[i] >= 0 && Xsetsockopt(fds[i], XOPT_NEXT_PROTO, &next, sizeof next) == 0, "a raw socket");
  }
  int heard[2] = {0, 0};
  for (int tries = 0; tries < 50 && !(heard[0] && heard[1]); tries++) {
    message[6] = (unsigned char)tries;
    check(Xsendto(fds[0], message, sizeof message, 0, (struct sockaddr *)&host, sizeof host) == (int)sizeof message, "an echo request");
    for (int i = 0; i < 2; i++) {
      struct pollfd wait = {.fd = fds[i], .events = POLLIN};
      if (Xpoll(&wait, 1, 200) == 1) {
        int got = Xrecvfrom(fds[i], answer, sizeof answer, 0, NULL, NULL);
        check(got > 8 && answer[0] == 1 && answer[1] == XPROTO_XCMP, "a packet with its XIP header");
        int header = 8 + 28 * (answer[5] + answer[6]);
        heard[i] |= got > header + 8 && answer[header] == 0 && answer[header + 4] == 0x34;
      }
    }
  }
  check(heard[0] && heard[1], "both raw sockets hear the answer");
  check(Xclose(fds[0]) == 0 && Xclose(fds[1]) == 0, "Xclose");
}

/* The ini functions, on a file that is written here. */
static void inis(const char *file) {
  char text[64];
  check(ini_puts("one", "name", "a value", file) == 1 && ini_putl("one", "count", -7, file) == 1, "a new file");
  check(ini_putf("two", "half", 0.5f, file) == 1 && ini_puts("two", "quoted", "\"a;b\"", file) == 1, "a second section");
  check(ini_puts("one", "name", "another", file) == 1, "a value that is there");
  check(ini_gets("ONE", "Name", "", text, sizeof text, file) == 7 && strcmp(text, "another") == 0, "ini_gets");
  check(ini_gets("one", "nothing", "else", text, 3, file) == 2 && strcmp(text, "el") == 0, "ini_gets without a value");
  check(ini_getl("one", "count", 0, file) == -7 && ini_getl("one", "nothing", 3, file) == 3, "ini_getl");
  check(ini_getf("two", "half", 0, file) == 0.5f && ini_getbool("two", "half", 1, file) == 0, "ini_getf and ini_getbool");
  check(ini_gets("two", "quoted", "", text, sizeof text, file) == 3 && strcmp(text, "a;b") == 0, "a value in quotes");
  check(ini_getsection(1, text, sizeof text, file) == 3 && strcmp(text, "two") == 0, "ini_getsection");
  check(ini_getsection(2, text, sizeof text, file) == 0 && *text == 0, "no third section");
  check(ini_getkey("one", 1, text, sizeof text, file) == 5 && strcmp(text, "count") == 0, "ini_getkey");
  check(ini_puts("one", "count", NULL, file) == 1 && ini_getl("one", "count", 9, file) == 9, "a key that is taken out");
  check(ini_puts("one", NULL, NULL, file) == 1 && ini_getsection(0, text, sizeof text, file) == 3, "a section that is taken out");
  check(ini_gets("two", "half", "", text, sizeof text, "/nonexistent/file") == 0, "a file that is not there");
  check(ini_puts("two", "half", "1", "/nonexistent/file") == 0, "a file that cannot be written");
}

/* More requests than fit into one message. */
static void manychunks(const char *dag) {
  enum { MANY = 900 };
  static char texts[MANY][400];
  static ChunkStatus statuses[MANY];
  for (int i = 0; i < MANY; i++) {
    snprintf(texts[i], sizeof texts[i], "%s CID:%040x", dag, i + 1);
    statuses[i] = (ChunkStatus){texts[i], strlen(texts[i]), 0};
  }
  int fd = Xsocket(AF_XIA, XSOCK_CHUNK, 0);
  check(fd >= 0, "Xsocket");
  check(XgetChunkStatuses(fd, statuses, MANY) == REQUEST_FAILED, "statuses of chunks not asked for");
  check(XrequestChunks(fd, statuses, MANY) == 0, "XrequestChunks");
  int all = XgetChunkStatuses(fd, statuses, MANY);
  check((all & WAITING_FOR_CHUNK) != 0, "statuses of chunks that nobody has");
  check(Xclose(fd) == 0, "Xclose");
}

/* Binds and dies without closing. */
static void die(const char *sid) {
  sockaddr_x here;
  bound(sid, &here);
  ready();
  _exit(0);
}

static void bind_again(const char *sid) {
  sockaddr_x here;
  check(Xclose(bound(sid, &here)) == 0, "Xclose");
}

static void on_alarm(int signal) { (void)signal; }

/* Lets a call that waits for data end after 20 ms: what came may have been no data. */
static void soon(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval once = {.it_value = {0, 20000}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &once, NULL);
}

/* Calls whose answers are nonsense: every one returns, whatever it says. */
static void hostile(int rounds) {
  static char chunk[XIA_MAXCHUNK];
  static char buffer[70000];
  char ad[64], hid[64], four[64];
  char dag[] = "RE AD:1000000000000000000000000000000000000000 CID:eff7169253d54486f634d5ffd36192881d396a7b";
  for (int i = 0; i < rounds; i++) {
    sockaddr_x addr;
    socklen_t length = sizeof addr;
    int value = 0;
    int fd = Xsocket(AF_XIA, 1 + i % 4, 0);
    if (fd < 0) {
      continue;
    }
    XreadLocalHostAddr(fd, ad, sizeof ad, hid, sizeof hid, four, sizeof four);
    XreadNameServerDAG(fd, &addr);
    XisDualStackRouter(fd);
    length = sizeof value;
    Xgetsockopt(fd, XOPT_HLIM, &value, &length);
    length = sizeof addr;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (i % 4 == 0) {
      struct addrinfo *found = NULL;
      if (Xgetaddrinfo(NULL, "SID:0f00000000000000000000000000000000000888", NULL, &found) == 0) {
        Xconnect(fd, found->ai_addr, sizeof addr);
        Xfreeaddrinfo(found);
      }
      Xgetpeername(fd, (struct sockaddr *)&addr, &length);
      if (Xpoll(&wait, 1, 0) > 0) {
        soon();
        Xrecv(fd, buffer, 100, 0);
      }
    } else if (i % 4 == 3) {
      ChunkContext context = {fd, 1, POLICY_LRU, 0, 0};
      ChunkInfo info;
      XputChunk(&context, chunk, sizeof chunk, &info);
      XgetChunkStatus(fd, dag, sizeof dag);
      XremoveChunk(&context, "eff7169253d54486f634d5ffd36192881d396a7b");
    } else if (Xpoll(&wait, 1, 0) > 0) {
      soon();
      Xrecvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&addr, &length);
    }
    Xclose(fd);
  }
}

int main(int argc, char **argv) {
  const char *role = argc > 1 ? argv[1] : "";
  if (argc > 2 && strcmp(role, "stream-server") == 0) {
    stream_server(argv[2]);
  } else if (argc > 2 && strcmp(role, "stream-client") == 0) {
    stream_client(argv[2]);
  } else if (argc > 2 && strcmp(role, "dgram-server") == 0) {
    dgram_server(argv[2]);
  } else if (argc > 2 && strcmp(role, "dgram-client") == 0) {
    dgram_client(argv[2]);
  } else if (argc > 2 && strcmp(role, "hostile") == 0) {
    hostile(atoi(argv[2]));
  } else if (argc > 2 && strcmp(role, "errors") == 0) {
    errors(argv[2]);
  } else if (argc > 2 && strcmp(role, "datagrams") == 0) {
    datagrams(argv[2]);
  } else if (argc > 3 && strcmp(role, "streams") == 0) {
    streams(argv[2], argv[3]);
  } else if (argc > 2 && strcmp(role, "raws") == 0) {
    raws(argv[2]);
  } else if (argc > 2 && strcmp(role, "inis") == 0) {
    inis(argv[2]);
  } else if (argc > 2 && strcmp(role, "manychunks") == 0) {
    manychunks(argv[2]);
  } else if (argc > 2 && strcmp(role, "die") == 0) {
    die(argv[2]);
  } else if (argc > 2 && strcmp(role, "bind") == 0) {
    bind_again(argv[2]);
  } else if (strcmp(role, "put") == 0) {
    put();
  } else if (argc > 2 && strcmp(role, "get") == 0) {
    get(argc - 2, argv + 2);
  } else {
    fprintf(stderr, "unknown role\n");
    return 2;
  }
  puts("ok");
  return 0;
}
