#include "internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFUSED "^Connection-failed^"
#define CONNECT_TIMEOUT_MS 30000

static bool is_stream(const xsocket *s) { return s->type == XSOCK_STREAM || s->type == XSOCK_RAW; }
static bool is_datagram(const xsocket *s) { return s->type == XSOCK_DGRAM || s->type == XSOCK_RAW; }

static int fail(xsocket *s, int error) {
  if (s != NULL) {
    state_unlock(s);
  }
  errno = error;
  return -1;
}

static int done(xsocket *s, int result) {
  state_unlock(s);
  return result;
}

static int fail_read(xsocket *s, int error) {
  state_end_read(s);
  errno = error;
  return -1;
}

static int done_read(xsocket *s, int result) {
  state_end_read(s);
  return result;
}

static int fail_send(xsocket *s, int error) {
  state_release(s);
  errno = error;
  return -1;
}

static int done_send(xsocket *s, int result) {
  state_release(s);
  return result;
}

/* Opens the socket on which the node tells what it has taken of a stream, and says so. */
static int report_port(xsocket *s, pb_out *beside) {
  s->credit_fd = click_socket();
  if (s->credit_fd < 0) {
    return -1;
  }
  pb_int(beside, EXT_REPORT_PORT, click_port_of(s->credit_fd));
  return 0;
}

int Xsocket(int family, int transport_type, int protocol) {
  if (family != AF_XIA) {
    return fail(NULL, EAFNOSUPPORT);
  }
  if (protocol != 0 || transport_type < XSOCK_STREAM || transport_type > XSOCK_CHUNK) {
    return fail(NULL, EINVAL);
  }
  int fd = click_socket();
  if (fd < 0) {
    return -1;
  }
  xsocket *s = NULL;
  if (state_add(fd, transport_type) == 0 && (s = state_lock(fd)) != NULL) {
    uint8_t bytes[32];
    pb_out body = {bytes, sizeof bytes, 0, false};
    pb_int(&body, 1, transport_type);
    pb_text(&body, 2, "credit/1");
    uint8_t more[16];
    pb_out beside = {more, sizeof more, 0, false};
    int result = -1;
    if (transport_type != XSOCK_STREAM || report_port(s, &beside) == 0) {
      result = click_call(fd, s, API_SOCKET, &body, &beside);
    }
    state_unlock(s);
    if (result == 0) {
      return fd;
    }
  }
  int error = errno;
  state_remove(fd);
  close(fd);
  errno = error;
  return -1;
}

static int print_into(pb_out *body, int field, const struct sockaddr *addr, char *text) {
  if (dag_print((const sockaddr_x *)addr, text, DAG_TEXT_MAX) < 0) {
    return -1;
  }
  pb_text(body, field, text);
  return 0;
}

int Xbind(int sockfd, const struct sockaddr *addr, socklen_t addrlen) {
  char text[DAG_TEXT_MAX];
  uint8_t bytes[DAG_TEXT_MAX + 16];
  pb_out body = {bytes, sizeof bytes, 0, false};
  if (addrlen == 0) {
    return fail(NULL, EINVAL);
  }
  if (addr == NULL) {
    return fail(NULL, EFAULT);
  }
  if (print_into(&body, 1, addr, text) < 0) {
    return fail(NULL, EINVAL);
  }
  xsocket *s = state_lock(sockfd);
  return s == NULL ? -1 : done(s, click_call(sockfd, s, API_BIND, &body, NULL));
}

/* The window that the node offered for this socket, 0 with a node that knows no flow control. Not in the prototype. */
int Xflowcontrol(int sockfd) {
  xsocket *s = state_hold(sockfd);
  return s == NULL ? -1 : done_send(s, (int)s->window);
}

int Xlisten(int sockfd, int backlog) {
  (void)sockfd;
  (void)backlog;
  return 0;
}

int Xconnect(int sockfd, const struct sockaddr *addr, socklen_t addrlen) {
  (void)addrlen;
  char text[DAG_TEXT_MAX];
  uint8_t bytes[DAG_TEXT_MAX + 16];
  pb_out body = {bytes, sizeof bytes, 0, false};
  if (addr == NULL || print_into(&body, 1, addr, text) < 0) {
    return fail(NULL, EINVAL);
  }
  xsocket *s = state_read(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (!is_stream(s)) {
    return fail_read(s, EOPNOTSUPP);
  }
  api_message answer;
  pb_field payload;
  if (click_send(sockfd, API_CONNECT, &body) < 0) {
    return done_read(s, -1);
  }
  int limit = getenv("XSOCK_TIMEOUT_MS") != NULL ? click_timeout_ms() : CONNECT_TIMEOUT_MS;
  if (click_receive(sockfd, s, API_RECV, API_RESULT, limit, &answer) < 0) {
    return done_read(s, -1);
  }
  if (answer.type == API_RESULT) {
    return fail_read(s, ECONNREFUSED);
  }
  if (pb_find(answer.body, 3, &payload) && payload.length >= strlen(REFUSED) &&
      memcmp(payload.data, REFUSED, strlen(REFUSED)) == 0) {
    return fail_read(s, ECONNREFUSED);
  }
  s->connected = true;
  return done_read(s, 0);
}

static void copy_dag(pb_in body, int field, struct sockaddr *addr, socklen_t *addrlen) {
  pb_field dag;
  if (addr == NULL || addrlen == NULL) {
    return;
  }
  if (*addrlen >= sizeof(sockaddr_x)) {
    if (!pb_find(body, field, &dag) || dag_parse((const char *)dag.data, dag.length, (sockaddr_x *)addr) < 0) {
      memset(addr, 0, sizeof(sockaddr_x));
    }
  } else {
    memset(addr, 0, *addrlen);
  }
  *addrlen = sizeof(sockaddr_x);
}

int Xaccept(int sockfd, struct sockaddr *addr, socklen_t *addrlen) {
  if (addr != NULL && addrlen == NULL) {
    return fail(NULL, EFAULT);
  }
  xsocket *listening = state_read(sockfd);
  if (listening == NULL) {
    return -1;
  }
  if (!is_stream(listening)) {
    return fail_read(listening, EOPNOTSUPP);
  }
  api_message message;
  int waited = click_receive(sockfd, listening, API_RECV, API_RECV, -1, &message);
  state_end_read(listening);
  if (waited < 0) {
    return -1;
  }
  int fd = click_socket();
  if (fd < 0) {
    return -1;
  }
  xsocket *s = NULL;
  int error = ENOMEM;
  if (state_add(fd, XSOCK_STREAM) == 0 && (s = state_lock(fd)) != NULL) {
    uint8_t more[16];
    pb_out beside = {more, sizeof more, 0, false};
    pb_int(&beside, EXT_LISTENER, click_port_of(sockfd));
    if (report_port(s, &beside) == 0 && click_ask(fd, s, API_ACCEPT, NULL, &beside, &message) == 0) {
      copy_dag(message.body, 1, addr, addrlen);
      s->connected = true;
      return done(s, fd);
    }
    error = errno == ETIMEDOUT ? ETIMEDOUT : ECONNABORTED;
    state_unlock(s);
  }
  state_remove(fd);
  close(fd);
  errno = error;
  return -1;
}

int Xaccept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags) {
  return flags != 0 ? fail(NULL, EINVAL) : Xaccept(sockfd, addr, addrlen);
}

int Xsend(int sockfd, const void *buf, size_t len, int flags) {
  if (flags != 0) {
    return fail(NULL, EOPNOTSUPP);
  }
  if (len == 0) {
    return 0;
  }
  if (buf == NULL) {
    return fail(NULL, EFAULT);
  }
  xsocket *s = state_hold(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (!is_stream(s)) {
    return fail_send(s, EOPNOTSUPP);
  }
  if (!s->connected) {
    return fail_send(s, ENOTCONN);
  }
  size_t length = len > XIA_MAXBUF ? XIA_MAXBUF : len;
  uint8_t *buffer = click_buffer();
  if (buffer == NULL) {
    return done_send(s, -1);
  }
  pb_out body = {buffer + API_MESSAGE_MAX, API_MESSAGE_MAX, 0, false};
  pb_bytes(&body, 1, buf, length);
  uint8_t more[16];
  pb_out beside = {more, sizeof more, 0, false};
  uint64_t offset = 0;
  pthread_mutex_lock(&s->sending);
  int sent = credit_wait(s, length, &offset);
  if (sent == 0) {
    if (s->window > 0) {
      pb_int(&beside, EXT_OFFSET, (int64_t)offset);
    }
    sent = click_send_with(sockfd, API_SEND, &body, &beside);
  }
  int error = errno;
  pthread_mutex_unlock(&s->sending);
  errno = error;
  return done_send(s, sent < 0 ? -1 : (int)length);
}

/* Moves bytes of a packet that was read in part; frees it once empty. */
static int take_left(xsocket *s, void *buf, size_t len) {
  size_t count = s->left->length - s->left_at;
  if (count > len) {
    count = len;
  }
  memcpy(buf, s->left->data + s->left_at, count);
  s->left_at += count;
  if (s->left_at == s->left->length) {
    free(s->left);
    s->left = NULL;
    s->left_has_from = false;
  }
  return (int)count;
}

static int keep_left(xsocket *s, const uint8_t *data, size_t length) {
  packet *p = malloc(sizeof *p + length);
  if (p == NULL) {
    errno = ENOMEM;
    return -1;
  }
  p->next = NULL;
  p->length = length;
  memcpy(p->data, data, length);
  s->left = p;
  s->left_at = 0;
  return 0;
}

/* What a call for data says once nothing more will come: 0, or -1 with errno. */
static int at_end(xsocket *s) {
  errno = s->end_error;
  return done_read(s, s->end_error == 0 ? 0 : -1);
}

int Xrecv(int sockfd, void *buf, size_t len, int flags) {
  if (flags != 0) {
    return fail(NULL, EOPNOTSUPP);
  }
  if (len == 0) {
    return 0;
  }
  if (buf == NULL) {
    return fail(NULL, EFAULT);
  }
  xsocket *s = state_read(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (!is_stream(s)) {
    return fail_read(s, EOPNOTSUPP);
  }
  if (!s->connected) {
    return fail_read(s, ENOTCONN);
  }
  if (s->left != NULL) {
    return done_read(s, take_left(s, buf, len));
  }
  if (s->ended) {
    return at_end(s);
  }
  api_message message;
  pb_field payload;
  if (click_receive(sockfd, s, API_RECV, API_RECV, -1, &message) < 0) {
    return done_read(s, -1);
  }
  if (message.has_end) {
    s->ended = true;
    s->end_error = message.end_error;
    return at_end(s);
  }
  if (!pb_find(message.body, 3, &payload)) {
    return done_read(s, 0);
  }
  credit_received(sockfd, s, payload.length);
  size_t count = payload.length < len ? payload.length : len;
  memcpy(buf, payload.data, count);
  if (count < payload.length && keep_left(s, payload.data + count, payload.length - count) < 0) {
    return done_read(s, -1);
  }
  return done_read(s, (int)count);
}

int Xsendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *addr, socklen_t addrlen) {
  char text[DAG_TEXT_MAX];
  if (len == 0) {
    return 0;
  }
  if (addrlen < sizeof(sockaddr_x) || flags != 0) {
    return fail(NULL, EINVAL);
  }
  if (buf == NULL || addr == NULL) {
    return fail(NULL, EFAULT);
  }
  xsocket *s = state_hold(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (!is_datagram(s)) {
    return fail_send(s, EOPNOTSUPP);
  }
  uint8_t *buffer = click_buffer();
  if (buffer == NULL) {
    return done_send(s, -1);
  }
  size_t length = len > XIA_MAXBUF ? XIA_MAXBUF : len;
  pb_out body = {buffer, API_MESSAGE_MAX, 0, false};
  if (print_into(&body, 1, addr, text) < 0) {
    return fail_send(s, EINVAL);
  }
  pb_bytes(&body, 2, buf, length);
  return done_send(s, click_send(sockfd, API_SENDTO, &body) < 0 ? -1 : (int)length);
}

int Xrecvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *addr, socklen_t *addrlen) {
  if (flags != 0 && flags != MSG_PEEK) {
    return fail(NULL, EINVAL);
  }
  if (len == 0) {
    return 0;
  }
  if (buf == NULL || (addr != NULL && addrlen == NULL)) {
    return fail(NULL, EFAULT);
  }
  if (addr != NULL && *addrlen < sizeof(sockaddr_x)) {
    *addrlen = sizeof(sockaddr_x);
    return fail(NULL, EINVAL);
  }
  xsocket *s = state_read(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (!is_datagram(s)) {
    return fail_read(s, EOPNOTSUPP);
  }
  if (s->left == NULL) {
    api_message message;
    pb_field payload = {0};
    if (click_receive(sockfd, s, API_RECV, API_RECV, -1, &message) < 0) {
      return done_read(s, -1);
    }
    bool found = pb_find(message.body, 3, &payload);
    socklen_t size = sizeof s->left_from;
    copy_dag(message.body, 2, (struct sockaddr *)&s->left_from, &size);
    s->left_has_from = true;
    if (!found || payload.length == 0) {
      return done_read(s, 0);
    }
    if (keep_left(s, payload.data, payload.length) < 0) {
      return done_read(s, -1);
    }
  }
  if (addr != NULL) {
    memcpy(addr, &s->left_from, sizeof s->left_from);
    *addrlen = sizeof s->left_from;
  }
  if (flags == MSG_PEEK) {
    size_t at = s->left_at;
    size_t count = s->left->length - at < len ? s->left->length - at : len;
    memcpy(buf, s->left->data + at, count);
    return done_read(s, (int)count);
  }
  return done_read(s, take_left(s, buf, len));
}

int Xclose(int sockfd) {
  state_interrupt(sockfd);
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  int result = click_call(sockfd, s, API_CLOSE, NULL, NULL);
  int error = errno;
  state_unlock(s);
  state_remove(sockfd);
  close(sockfd);
  errno = error;
  return result;
}

int Xfcntl(int sockfd, int cmd, ...) {
  (void)sockfd;
  (void)cmd;
  return 0;
}

int Xsetsockopt(int sockfd, int optname, const void *optval, socklen_t optlen) {
  uint8_t bytes[32];
  pb_out body = {bytes, sizeof bytes, 0, false};
  int value;
  if (optname != XOPT_HLIM && optname != XOPT_NEXT_PROTO) {
    return fail(NULL, ENOPROTOOPT);
  }
  if (optlen != sizeof value || optval == NULL) {
    return fail(NULL, EINVAL);
  }
  memcpy(&value, optval, sizeof value);
  if (optname == XOPT_HLIM ? value < 0 || value > 255 : value != XPROTO_XCMP) {
    return fail(NULL, EINVAL);
  }
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  pb_int(&body, 1, optname);
  pb_int(&body, 2, value);
  return done(s, click_call(sockfd, s, API_SETSOCKOPT, &body, NULL));
}

int Xgetsockopt(int sockfd, int optname, void *optval, socklen_t *optlen) {
  uint8_t bytes[16];
  pb_out body = {bytes, sizeof bytes, 0, false};
  api_message answer;
  pb_field field;
  if (optname != XOPT_HLIM && optname != XOPT_NEXT_PROTO) {
    return fail(NULL, ENOPROTOOPT);
  }
  if (optval == NULL || optlen == NULL) {
    return fail(NULL, EINVAL);
  }
  if (*optlen < sizeof(int)) {
    *optlen = sizeof(int);
    return fail(NULL, EINVAL);
  }
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  pb_int(&body, 1, optname);
  if (click_ask(sockfd, s, API_GETSOCKOPT, &body, NULL, &answer) < 0) {
    return done(s, -1);
  }
  int value = pb_find(answer.body, 2, &field) ? (int)field.number : 0;
  memcpy(optval, &value, sizeof value);
  *optlen = sizeof value;
  return done(s, 0);
}

static int name_of(int sockfd, int type, struct sockaddr *addr, socklen_t *addrlen) {
  api_message answer;
  if (addr == NULL || addrlen == NULL) {
    return fail(NULL, EFAULT);
  }
  if (*addrlen < sizeof(sockaddr_x)) {
    return fail(NULL, EINVAL);
  }
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (!is_stream(s)) {
    return fail(s, EOPNOTSUPP);
  }
  if (!s->connected) {
    return fail(s, ENOTCONN);
  }
  if (click_ask(sockfd, s, type, NULL, NULL, &answer) < 0) {
    return done(s, -1);
  }
  copy_dag(answer.body, 1, addr, addrlen);
  return done(s, 0);
}

int Xgetpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen) {
  return name_of(sockfd, API_GETPEERNAME, addr, addrlen);
}

int Xgetsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen) {
  return name_of(sockfd, API_GETSOCKNAME, addr, addrlen);
}

int Xpoll(struct pollfd *fds, unsigned nfds, int timeout) {
  int waiting = 0;
  for (unsigned i = 0; i < nfds; i++) {
    if ((fds[i].events & POLLIN) != 0 && state_has_data(fds[i].fd)) {
      waiting++;
    }
  }
  int ready = poll(fds, nfds, waiting > 0 ? 0 : timeout);
  if (ready < 0 || waiting == 0) {
    return ready;
  }
  for (unsigned i = 0; i < nfds; i++) {
    if ((fds[i].events & POLLIN) != 0 && state_has_data(fds[i].fd)) {
      ready += fds[i].revents == 0 ? 1 : 0;
      fds[i].revents |= POLLIN;
    }
  }
  return ready;
}

int Xselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *errorfds, struct timeval *timeout) {
  fd_set buffered;
  int waiting = 0;
  FD_ZERO(&buffered);
  for (int fd = 0; readfds != NULL && fd < nfds; fd++) {
    if (FD_ISSET(fd, readfds) && state_has_data(fd)) {
      FD_SET(fd, &buffered);
      waiting++;
    }
  }
  struct timeval at_once = {0, 0};
  int ready = select(nfds, readfds, writefds, errorfds, waiting > 0 ? &at_once : timeout);
  if (ready < 0 || waiting == 0) {
    return ready;
  }
  for (int fd = 0; fd < nfds; fd++) {
    if (FD_ISSET(fd, &buffered) && !FD_ISSET(fd, readfds)) {
      FD_SET(fd, readfds);
      ready++;
    }
  }
  return ready;
}
