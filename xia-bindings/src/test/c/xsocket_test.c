/* A program like any other that uses the Xsocket API: echo server and client on streams and datagrams, chunks put and fetched.
 * Usage: xsocket_test ROLE ARGUMENT…; prints "ok" and exits 0, or says what failed and exits 1. */
#include "Xsocket.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
