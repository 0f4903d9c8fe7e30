#include "internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_MS 10000
#define EARLY_MAX 4096
#define CREDIT_CHECK_MS 50
#define CREDIT_STALL_MS 60000
/* How long a waiting call takes to notice that its socket is being closed by another thread. */
#define CLOSE_CHECK_MS 100

/* One message buffer per thread: 64 KiB is too much for the stacks that a JVM gives its threads. */
static pthread_key_t buffer_key;
static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;

static void make_key(void) { pthread_key_create(&buffer_key, free); }

uint8_t *click_buffer(void) {
  pthread_once(&buffer_once, make_key);
  uint8_t *buffer = pthread_getspecific(buffer_key);
  if (buffer == NULL) {
    buffer = malloc(2 * API_MESSAGE_MAX);
    if (buffer == NULL) {
      errno = ENOMEM;
      return NULL;
    }
    pthread_setspecific(buffer_key, buffer);
  }
  return buffer;
}

int click_timeout_ms(void) {
  const char *text = getenv("XSOCK_TIMEOUT_MS");
  int value = text != NULL ? atoi(text) : 0;
  return value > 0 ? value : ANSWER_TIMEOUT_MS;
}

int click_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return -1;
  }
  /* Bound at once: the port is how the node knows this socket. The buffer holds what the node pushes. */
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int wanted = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  if (bind(fd, (struct sockaddr *)&here, sizeof here) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

static int send_parts(int fd, struct iovec *parts, size_t count) {
  struct sockaddr_in node = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)conf_click_port()), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct msghdr message = {.msg_name = &node, .msg_namelen = sizeof node, .msg_iov = parts, .msg_iovlen = count};
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, 0);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -1 : 0;
}

static int send_datagram(int fd, uint8_t *bytes, size_t length) {
  struct iovec part = {bytes, length};
  return send_parts(fd, &part, 1);
}

int click_port_of(int fd) {
  struct sockaddr_in here;
  socklen_t length = sizeof here;
  return fd >= 0 && getsockname(fd, (struct sockaddr *)&here, &length) == 0 ? ntohs(here.sin_port) : 0;
}

int click_send(int fd, int type, const pb_out *body) { return click_send_with(fd, type, body, NULL); }

int click_send_with(int fd, int type, const pb_out *body, const pb_out *beside) {
  uint8_t head[16];
  pb_out out = {head, sizeof head, 0, false};
  pb_int(&out, 1, type);
  struct iovec parts[3] = {{head, 0}, {NULL, 0}, {NULL, 0}};
  size_t count = 1;
  if (body != NULL) {
    if (body->overflow) {
      errno = EMSGSIZE;
      return -1;
    }
    /* the sub-message's key and length, its bytes follow from their own buffer */
    pb_begin(&out, type + 1, body->length);
    parts[1].iov_base = body->data;
    parts[1].iov_len = body->length;
    count = 2;
  }
  if (beside != NULL) {
    parts[count].iov_base = beside->data;
    parts[count++].iov_len = beside->length;
  }
  parts[0].iov_len = out.length;
  return send_parts(fd, parts, count);
}

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static bool decode(uint8_t *data, size_t length, api_message *out) {
  pb_in in = {data, data + length};
  pb_field field;
  if (!pb_find(in, 1, &field) || field.wire != 0 || field.number < 1 || field.number > API_GETSOCKNAME) {
    return false;
  }
  out->data = data;
  out->type = (int)field.number;
  out->window = pb_find(in, EXT_WINDOW, &field) && field.wire == 0 ? field.number : 0;
  out->consumed = pb_find(in, EXT_CONSUMED, &field) && field.wire == 0 ? field.number : 0;
  out->has_end = pb_find(in, EXT_END, &field) && field.wire == 0;
  out->end_error = out->has_end ? (int)field.number : 0;
  out->has_number = pb_find(in, EXT_NUMBER, &field) && field.wire == 0;
  out->number = out->has_number ? (unsigned)field.number : 0;
  out->body.at = out->body.end = data;
  if (pb_find(in, out->type + 1, &field) && field.wire == 2) {
    out->body.at = field.data;
    out->body.end = field.data + field.length;
  }
  return true;
}

static void note_credit(xsocket *s, const api_message *message) {
  pthread_mutex_lock(&s->credit_lock);
  if (message->window > 0 && s->window == 0) {
    s->window = message->window;
  }
  if (message->consumed > s->taken && message->consumed <= s->sent) {
    s->taken = message->consumed;
  }
  if (message->has_end && message->type == API_SEND) {
    s->broken = message->end_error != 0 ? message->end_error : EPIPE;
  }
  pthread_mutex_unlock(&s->credit_lock);
}

static void keep_early(xsocket *s, const uint8_t *data, size_t length) {
  packet *p = s->early_count < EARLY_MAX ? malloc(sizeof *p + length) : NULL;
  if (p == NULL) {
    return; /* as if the network had lost it; a stream's node keeps its own copy until it is acknowledged */
  }
  p->next = NULL;
  p->length = length;
  memcpy(p->data, data, length);
  if (s->early_last != NULL) {
    s->early_last->next = p;
  } else {
    s->early_first = p;
  }
  s->early_last = p;
  s->early_count++;
}

static bool take_early(xsocket *s, int type, int or_type, uint8_t *buffer, api_message *message) {
  packet *before = NULL;
  for (packet *p = s->early_first; p != NULL; before = p, p = p->next) {
    memcpy(buffer, p->data, p->length);
    if (decode(buffer, p->length, message) && (message->type == type || message->type == or_type)) {
      if (before != NULL) {
        before->next = p->next;
      } else {
        s->early_first = p->next;
      }
      if (s->early_last == p) {
        s->early_last = before;
      }
      free(p);
      s->early_count--;
      return true;
    }
  }
  return false;
}

/* Waits a moment for a datagram; who waits for data lets others talk to the node meanwhile. */
static int await_datagram(xsocket *s, struct pollfd *ready, int timeout_ms, bool data) {
  if (data) {
    s->waiting++;
    pthread_mutex_unlock(&s->lock);
  }
  int n = poll(ready, 1, timeout_ms);
  if (data) {
    int error = errno;
    pthread_mutex_lock(&s->lock);
    s->waiting--;
    errno = error;
  }
  return n;
}

int click_receive(int fd, xsocket *s, int type, int or_type, int timeout_ms, api_message *message) {
  bool data = type == API_RECV || type == API_READCHUNK;
  uint8_t *buffer = click_buffer();
  if (buffer == NULL) {
    return -1;
  }
  if (take_early(s, type, or_type, buffer, message)) {
    return 0;
  }
  long deadline = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
  for (;;) {
    long left = timeout_ms < 0 ? -1 : deadline - now_ms();
    if (timeout_ms >= 0 && left <= 0) {
      errno = ETIMEDOUT;
      return -1;
    }
    if (s->closing && type != API_RESULT) {
      errno = EBADF;
      return -1;
    }
    ssize_t length = recv(fd, buffer, API_MESSAGE_MAX, MSG_DONTWAIT);
    if (length < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
      return -1; /* EINTR is the caller's business: it may want to stop */
    }
    if (length <= 0) {
      struct pollfd ready = {.fd = fd, .events = POLLIN | POLLRDHUP};
      int n = await_datagram(s, &ready, left >= 0 && left < CLOSE_CHECK_MS ? (int)left : CLOSE_CHECK_MS, data);
      if (data && take_early(s, type, or_type, buffer, message)) {
        return 0; /* came while another call waited for its answer */
      }
      if (s->closing && type != API_RESULT) {
        errno = EBADF; /* the descriptor may be another socket's by now */
        return -1;
      }
      if (n < 0) {
        return -1;
      }
      if (n > 0 && (ready.revents & (POLLNVAL | POLLRDHUP)) != 0) {
        errno = EBADF; /* closed, or shut down by a thread that gave up on this call */
        return -1;
      }
      continue;
    }
    if (!decode(buffer, (size_t)length, message)) {
      continue;
    }
    if (message->window > 0) {
      note_credit(s, message);
    }
    if (message->type == type || message->type == or_type) {
      return 0;
    }
    if (message->type == API_RECV || message->type == API_READCHUNK) {
      keep_early(s, buffer, (size_t)length);
    }
  }
}

/* Takes the reports that have come. */
static void take_reports(xsocket *s) {
  uint8_t bytes[64];
  api_message message;
  ssize_t length;
  int error = errno;
  while (s->credit_fd >= 0 && (length = recv(s->credit_fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    if (decode(bytes, (size_t)length, &message)) {
      note_credit(s, &message);
    }
  }
  errno = error;
}

/* Whether more may be sent; if so it counts as sent. A piece larger than the window goes alone. */
static bool credit_take(xsocket *s, size_t length, uint64_t *offset) {
  pthread_mutex_lock(&s->credit_lock);
  bool has = s->window == 0 || s->sent == s->taken || s->sent - s->taken + length <= s->window;
  if (has) {
    *offset = s->sent;
    s->sent += length;
  }
  pthread_mutex_unlock(&s->credit_lock);
  return has;
}

int credit_wait(xsocket *s, size_t length, uint64_t *offset) {
  long deadline = now_ms() + CREDIT_STALL_MS;
  uint64_t taken = s->taken;
  take_reports(s);
  while (s->broken == 0 && !credit_take(s, length, offset)) {
    if (s->closing) {
      errno = EBADF;
      return -1;
    }
    struct pollfd ready = {.fd = s->credit_fd, .events = POLLIN};
    poll(&ready, 1, CREDIT_CHECK_MS);
    take_reports(s);
    if (s->taken != taken) {
      taken = s->taken;
      deadline = now_ms() + CREDIT_STALL_MS;
    } else if (now_ms() > deadline) {
      errno = ETIMEDOUT;
      return -1;
    }
  }
  if (s->broken != 0) {
    errno = s->broken;
    return -1;
  }
  return 0;
}

void credit_received(int fd, xsocket *s, size_t length) {
  s->received += length;
  if (s->window == 0 || s->received - s->reported < s->window / 4) {
    return;
  }
  uint8_t bytes[32];
  pb_out out = {bytes, sizeof bytes, 0, false};
  pb_int(&out, 1, API_RECV);
  pb_int(&out, EXT_CONSUMED, (int64_t)s->received);
  if (send_datagram(fd, bytes, out.length) == 0) {
    s->reported = s->received;
  }
}

static int result_of(const api_message *message, int type) {
  pb_field field;
  if (!pb_find(message->body, 1, &field) || (int)field.number != type) {
    errno = ECLICKCONTROL;
    return -1;
  }
  if (pb_find(message->body, 2, &field) && (int32_t)field.number != 0) {
    int code = pb_find(message->body, 3, &field) ? (int)field.number : 0;
    errno = code != 0 ? code : ECLICKCONTROL;
    return -1;
  }
  return 0;
}

/* The answer to an earlier call that was given up before it came. */
static bool is_late(const api_message *message, int type) {
  pb_field field;
  return pb_find(message->body, 1, &field) && (int)field.number != type;
}

int click_call(int fd, xsocket *s, int type, const pb_out *body, const pb_out *beside) {
  api_message answer;
  if (click_send_with(fd, type, body, beside) < 0) {
    return -1;
  }
  do {
    if (click_receive(fd, s, API_RESULT, API_RESULT, click_timeout_ms(), &answer) < 0) {
      return -1;
    }
  } while (is_late(&answer, type));
  return result_of(&answer, type);
}

int click_ask(int fd, xsocket *s, int type, const pb_out *body, const pb_out *beside, api_message *answer) {
  if (click_send_with(fd, type, body, beside) < 0 || click_receive(fd, s, type, API_RESULT, click_timeout_ms(), answer) < 0) {
    return -1;
  }
  if (answer->type == API_RESULT) {
    if (result_of(answer, type) == 0) {
      errno = ECLICKCONTROL;
    }
    return -1;
  }
  return 0;
}

int text_field(pb_in body, int field, char *out, size_t capacity) {
  pb_field found;
  if (capacity == 0 || !pb_find(body, field, &found) || found.wire != 2) {
    return -1;
  }
  size_t length = found.length < capacity - 1 ? found.length : capacity - 1;
  memcpy(out, found.data, length);
  out[length] = 0;
  return (int)length;
}
