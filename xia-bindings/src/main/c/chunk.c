#include "internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_MAX 300
/* The answer repeats every DAG with its status and must fit into a datagram. */
#define STATUS_MAX 48000
/* Key and length of a text, and the word of its status in the answer. */
#define DAG_OVERHEAD 24
#define MARGIN 128
#define REQUEST_TEXT "Chunk request"
#define STATUS_TEXT "CID list request status query"

static int fail(xsocket *s, int error) {
  if (s != NULL) {
    state_unlock(s);
  }
  errno = error;
  return -1;
}

static int fail_read(xsocket *s, int error) {
  state_end_read(s);
  errno = error;
  return -1;
}

ChunkContext *XallocCacheSlice(unsigned policy, unsigned ttl, unsigned size) {
  ChunkContext *context = calloc(1, sizeof *context);
  if (context == NULL) {
    return NULL;
  }
  context->sockfd = Xsocket(AF_XIA, XSOCK_CHUNK, 0);
  if (context->sockfd < 0) {
    free(context);
    return NULL;
  }
  context->contextID = getpid();
  context->cachePolicy = policy;
  context->cacheSize = size;
  context->ttl = ttl;
  return context;
}

int XfreeCacheSlice(ChunkContext *context) {
  if (context == NULL) {
    return 0;
  }
  int result = Xclose(context->sockfd);
  free(context);
  return result;
}

int XputChunk(const ChunkContext *context, const char *data, unsigned length, ChunkInfo *info) {
  api_message answer;
  pb_field field;
  if (length > XIA_MAXCHUNK) {
    return fail(NULL, EMSGSIZE);
  }
  if (context == NULL || data == NULL || info == NULL) {
    return fail(NULL, EFAULT);
  }
  if (length == 0) {
    return 0;
  }
  xsocket *s = state_lock(context->sockfd);
  if (s == NULL) {
    return -1;
  }
  uint8_t *buffer = click_buffer();
  if (buffer == NULL) {
    return fail(s, ENOMEM);
  }
  /* the second half of the buffer: the first one takes the answer */
  pb_out body = {buffer + API_MESSAGE_MAX, API_MESSAGE_MAX, 0, false};
  pb_int(&body, 1, (int32_t)context->cachePolicy);
  pb_int(&body, 2, (int32_t)context->cacheSize);
  pb_int(&body, 3, context->contextID);
  pb_int(&body, 4, (int32_t)context->ttl);
  pb_bytes(&body, 5, data, length);
  if (click_ask(context->sockfd, s, API_PUTCHUNK, &body, NULL, &answer) < 0) {
    return fail(s, errno);
  }
  memset(info, 0, sizeof *info);
  if (text_field(answer.body, 6, info->cid, sizeof info->cid) != CID_HASH_SIZE) {
    return fail(s, ECLICKCONTROL);
  }
  info->size = (int)length;
  info->ttl = pb_find(answer.body, 4, &field) ? (int32_t)field.number : 0;
  info->timestamp.tv_sec = pb_find(answer.body, 8, &field) ? (time_t)field.number : 0;
  state_unlock(s);
  return 0;
}

int XputBuffer(ChunkContext *context, const char *data, unsigned length, unsigned chunkSize, ChunkInfo **infos) {
  if (context == NULL || data == NULL || infos == NULL) {
    return fail(NULL, EFAULT);
  }
  if (chunkSize == 0) {
    chunkSize = DEFAULT_CHUNK_SIZE;
  }
  if (chunkSize > XIA_MAXCHUNK) {
    chunkSize = XIA_MAXCHUNK;
  }
  unsigned count = length / chunkSize + (length % chunkSize != 0 ? 1 : 0);
  ChunkInfo *all = calloc(count > 0 ? count : 1, sizeof *all);
  if (all == NULL) {
    return fail(NULL, ENOMEM);
  }
  for (unsigned i = 0; i < count; i++) {
    unsigned at = i * chunkSize;
    unsigned part = length - at < chunkSize ? length - at : chunkSize;
    if (XputChunk(context, data + at, part, &all[i]) < 0) {
      int error = errno;
      free(all);
      return fail(NULL, error);
    }
  }
  *infos = all;
  return (int)count;
}

int XputFile(ChunkContext *context, const char *path, unsigned chunkSize, ChunkInfo **infos) {
  struct stat facts;
  if (context == NULL || path == NULL || infos == NULL) {
    return fail(NULL, EFAULT);
  }
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &facts) < 0) {
    int error = errno;
    if (fd >= 0) {
      close(fd);
    }
    return fail(NULL, error);
  }
  if (facts.st_size > INT32_MAX) {
    close(fd);
    return fail(NULL, EFBIG);
  }
  size_t length = (size_t)facts.st_size;
  char *content = malloc(length > 0 ? length : 1);
  size_t at = 0;
  ssize_t got = 1;
  while (content != NULL && at < length && (got = read(fd, content + at, length - at)) > 0) {
    at += (size_t)got;
  }
  int error = content == NULL ? ENOMEM : errno;
  close(fd);
  if (content == NULL || got < 0) {
    free(content);
    return fail(NULL, error);
  }
  int result = XputBuffer(context, content, (unsigned)at, chunkSize, infos);
  error = errno;
  free(content);
  errno = error;
  return result;
}

void XfreeChunkInfo(ChunkInfo *infos) { free(infos); }

int XremoveChunk(ChunkContext *context, const char *cid) {
  uint8_t bytes[64 + CID_HASH_SIZE];
  pb_out body = {bytes, sizeof bytes, 0, false};
  api_message answer;
  pb_field status;
  if (context == NULL || cid == NULL) {
    return fail(NULL, EFAULT);
  }
  xsocket *s = state_lock(context->sockfd);
  if (s == NULL) {
    return -1;
  }
  pb_int(&body, 1, context->contextID);
  pb_text(&body, 2, cid);
  int result = click_ask(context->sockfd, s, API_REMOVECHUNK, &body, NULL, &answer);
  if (result == 0 && pb_find(answer.body, 3, &status)) {
    result = (int)status.number;
  }
  state_unlock(s);
  return result;
}

int XrequestChunk(int sockfd, char *dag, size_t dagLen) {
  (void)dagLen;
  ChunkStatus one = {dag, 0, 0};
  return XrequestChunks(sockfd, &one, 1);
}

/* Adds as many DAGs as fit, at least one; how many, or -1 with errno. */
static int add_dags(pb_out *body, const ChunkStatus *chunks, int count, size_t room) {
  int added = 0;
  while (added < count && added < GROUP_MAX) {
    if (chunks[added].cid == NULL) {
      errno = EFAULT;
      return -1;
    }
    size_t length = strlen(chunks[added].cid) + DAG_OVERHEAD;
    if (body->length + length > room - MARGIN) {
      break;
    }
    pb_text(body, 1, chunks[added++].cid);
  }
  if (added == 0) {
    errno = EMSGSIZE;
    return -1;
  }
  return added;
}

/* Requests chunks; with a number the node sends them as they arrive, numbered from it on. */
static int request(int sockfd, const ChunkStatus *chunks, int numChunks, const unsigned *first) {
  if (numChunks == 0) {
    return 0;
  }
  if (chunks == NULL || numChunks < 0) {
    return fail(NULL, EFAULT);
  }
  xsocket *s = state_hold(sockfd);
  if (s == NULL) {
    return -1;
  }
  int result = s->type == XSOCK_CHUNK || s->type == XSOCK_RAW ? 0 : -1;
  int error = result < 0 ? EAFNOSUPPORT : 0;
  uint8_t *buffer = click_buffer();
  if (buffer == NULL) {
    result = -1;
    error = ENOMEM;
  }
  for (int at = 0; result == 0 && at < numChunks;) {
    pb_out body = {buffer + API_MESSAGE_MAX, API_MESSAGE_MAX - MARGIN, 0, false};
    int count = add_dags(&body, chunks + at, numChunks - at, API_MESSAGE_MAX - MARGIN);
    if (count < 0) {
      result = -1;
      error = errno;
      break;
    }
    pb_bytes(&body, 2, REQUEST_TEXT, sizeof REQUEST_TEXT);
    uint8_t more[16];
    pb_out beside = {more, sizeof more, 0, false};
    if (first != NULL) {
      pb_int(&beside, EXT_NUMBER, *first + (unsigned)at);
    }
    result = click_send_with(sockfd, API_REQUESTCHUNK, &body, first != NULL ? &beside : NULL);
    error = errno;
    at += count;
  }
  state_release(s);
  if (result < 0) {
    errno = error;
  }
  return result;
}

int XrequestChunks(int sockfd, const ChunkStatus *chunks, int numChunks) {
  return request(sockfd, chunks, numChunks, NULL);
}

int XrequestDelivery(int sockfd, const ChunkStatus *chunks, int numChunks, unsigned first) {
  int window = Xflowcontrol(sockfd);
  if (window <= 0) {
    return window < 0 ? -1 : fail(NULL, EOPNOTSUPP);
  }
  return request(sockfd, chunks, numChunks, &first);
}

int XtakeChunk(int sockfd, void *buf, size_t len, unsigned *number, int timeoutMs) {
  api_message answer;
  pb_field payload;
  if (buf == NULL || number == NULL) {
    return fail(NULL, EFAULT);
  }
  *number = UINT32_MAX;
  xsocket *s = state_read(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (s->type != XSOCK_CHUNK) {
    return fail_read(s, EAFNOSUPPORT);
  }
  do {
    if (click_receive(sockfd, s, API_READCHUNK, API_RESULT, timeoutMs, &answer) < 0) {
      if (errno == ETIMEDOUT) {
        state_end_read(s);
        return 0;
      }
      return fail_read(s, errno);
    }
  } while (!answer.has_number);
  *number = answer.number;
  if (answer.type == API_RESULT) {
    return fail_read(s, pb_find(answer.body, 3, &payload) && payload.number != 0 ? (int)payload.number : ECLICKCONTROL);
  }
  if (!pb_find(answer.body, 2, &payload) || payload.wire != 2) {
    return fail_read(s, ECLICKCONTROL);
  }
  credit_received(sockfd, s, payload.length);
  if (payload.length > len) {
    return fail_read(s, EFAULT);
  }
  memcpy(buf, payload.data, payload.length);
  int result = (int)payload.length;
  state_end_read(s);
  return result;
}

int XgetChunkStatus(int sockfd, char *dag, size_t dagLen) {
  (void)dagLen;
  ChunkStatus one = {dag, 0, 0};
  return XgetChunkStatuses(sockfd, &one, 1);
}

static int status_of(const pb_field *text) {
  static const struct {
    const char *name;
    int status;
  } known[] = {{"WAITING", WAITING_FOR_CHUNK}, {"READY", READY_TO_READ}, {"INVALID_HASH", INVALID_HASH}, {"FAILED", REQUEST_FAILED}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (text->length == strlen(known[i].name) && memcmp(text->data, known[i].name, text->length) == 0) {
      return known[i].status;
    }
  }
  return REQUEST_FAILED;
}

int XgetChunkStatuses(int sockfd, ChunkStatus *statuses, int numChunks) {
  api_message answer;
  if (numChunks == 0) {
    return 0;
  }
  if (statuses == NULL || numChunks < 0) {
    return fail(NULL, EFAULT);
  }
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (s->type != XSOCK_CHUNK && s->type != XSOCK_RAW) {
    return fail(s, EAFNOSUPPORT);
  }
  uint8_t *buffer = click_buffer();
  if (buffer == NULL) {
    return fail(s, ENOMEM);
  }
  int all = READY_TO_READ;
  for (int at = 0; at < numChunks;) {
    pb_out body = {buffer + API_MESSAGE_MAX, API_MESSAGE_MAX - MARGIN, 0, false};
    int count = add_dags(&body, statuses + at, numChunks - at, STATUS_MAX);
    if (count < 0) {
      return fail(s, errno);
    }
    pb_bytes(&body, 3, STATUS_TEXT, sizeof STATUS_TEXT);
    if (click_ask(sockfd, s, API_GETCHUNKSTATUS, &body, NULL, &answer) < 0) {
      return fail(s, errno);
    }
    pb_field field;
    int end = at + count;
    while (at < end && pb_next(&answer.body, &field)) {
      if (field.field == 2 && field.wire == 2) {
        int status = status_of(&field);
        statuses[at++].status = status;
        all = status == READY_TO_READ ? all : (all & ~READY_TO_READ) | status;
      }
    }
    if (at < end) {
      return fail(s, ECLICKCONTROL);
    }
  }
  state_unlock(s);
  return all;
}

int XreadChunk(int sockfd, void *buf, size_t len, int flags, char *cid, size_t cidLen) {
  (void)flags;
  (void)cidLen;
  api_message answer;
  pb_field payload;
  if (len == 0) {
    return 0;
  }
  if (buf == NULL || cid == NULL) {
    return fail(NULL, EFAULT);
  }
  xsocket *s = state_read(sockfd);
  if (s == NULL) {
    return -1;
  }
  if (s->type != XSOCK_CHUNK && s->type != XSOCK_RAW) {
    return fail_read(s, EAFNOSUPPORT);
  }
  uint8_t bytes[DAG_TEXT_MAX];
  pb_out body = {bytes, sizeof bytes, 0, false};
  pb_text(&body, 1, cid);
  if (click_send(sockfd, API_READCHUNK, &body) < 0 ||
      click_receive(sockfd, s, API_READCHUNK, API_READCHUNK, -1, &answer) < 0) {
    return fail_read(s, errno);
  }
  if (!pb_find(answer.body, 2, &payload)) {
    return fail_read(s, ECLICKCONTROL);
  }
  if (payload.length > len) {
    return fail_read(s, EFAULT);
  }
  memcpy(buf, payload.data, payload.length);
  int result = (int)payload.length;
  state_end_read(s);
  return result;
}
