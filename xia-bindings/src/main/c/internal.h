/* What the parts of the library share. Nothing of this is exported. */
#ifndef XMIG_XSOCKET_INTERNAL_H
#define XMIG_XSOCKET_INTERNAL_H

#include "Xsocket.h"
#include <pthread.h>
#include <stdbool.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* Largest message exchanged with the node: a full buffer and the protobuf around it. */
#define API_MESSAGE_MAX (65507)
#define DAG_TEXT_MAX 2048

/* Message types of the local protocol; the sub-message's field number is the type + 1. */
enum {
  API_SOCKET = 1, API_BIND, API_CLOSE, API_CONNECT, API_ACCEPT, API_SENDTO, API_SEND, API_RECV, API_RECVFROM,
  API_SETSOCKOPT, API_GETSOCKOPT, API_PUTCHUNK, API_REQUESTCHUNK, API_GETCHUNKSTATUS, API_READCHUNK,
  API_REMOVECHUNK, API_REQUESTFAILED, API_RESULT, API_CHANGEAD, API_READLOCALHOSTADDR, API_UPDATENAMESERVERDAG,
  API_READNAMESERVERDAG, API_ISDUALSTACKROUTER, API_GETPEERNAME, API_GETSOCKNAME
};

/* Fields beside the sub-message that our node and our library exchange; Click skips them (docs/xsocket-api.md). */
enum {
  EXT_WINDOW = 100,      /* the node offers flow control */
  EXT_CONSUMED = 101,    /* bytes of one direction taken in all */
  EXT_LISTENER = 102,    /* port of the socket whose connection is accepted */
  EXT_REPORT_PORT = 103, /* where the node tells what it has taken */
  EXT_END = 104,         /* the stream is over: 0 in order, else why */
  EXT_OFFSET = 105,      /* of the first byte of a piece: one that was lost on the way is noticed */
  EXT_NUMBER = 106       /* chunks are sent as they arrive: of the first one requested, of the one that is sent */
};

/* --- pb.c: the few pieces of protobuf that the protocol needs --- */

typedef struct {
  uint8_t *data;
  size_t capacity;
  size_t length;
  bool overflow;
} pb_out;

typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} pb_in;

typedef struct {
  int field;
  int wire;           /* 0 varint, 2 bytes */
  uint64_t number;    /* of a varint */
  const uint8_t *data; /* of bytes */
  size_t length;
} pb_field;

HIDDEN void pb_int(pb_out *out, int field, int64_t value);
/* Key and length of a bytes field whose content follows from elsewhere. */
HIDDEN void pb_begin(pb_out *out, int field, size_t length);
HIDDEN void pb_bytes(pb_out *out, int field, const void *data, size_t length);
HIDDEN void pb_text(pb_out *out, int field, const char *text);
/* Takes the next field; false at the end or where the message is malformed. */
HIDDEN bool pb_next(pb_in *in, pb_field *field);
/* Finds the first field with this number. */
HIDDEN bool pb_find(pb_in in, int number, pb_field *field);

/* --- dag.c --- */

/* Parses RE or DAG text; -1 with errno EINVAL if it is neither. */
HIDDEN int dag_parse(const char *text, size_t length, sockaddr_x *out);
/* Prints the DAG form, as the API's requests carry it; returns the length or -1 with errno. */
HIDDEN int dag_print(const sockaddr_x *addr, char *out, size_t capacity);
HIDDEN bool dag_is_valid(const sockaddr_x *addr);
HIDDEN bool xid_parse(const char *text, size_t length, xid_t *out);

/* --- ini.c --- */

/* Cuts white space off both ends, in place. */
HIDDEN char *ini_strip(char *text);
/* Value of a key in a section of an ini file, without quotes; false if file, section or key is missing. */
HIDDEN bool ini_find(const char *path, const char *section, const char *key, char *out, size_t capacity);

/* --- conf.c --- */

HIDDEN int conf_click_port(void);
/* Text of the hosts file's entry for this name; false if there is none. */
HIDDEN bool conf_host(const char *name, char *dag, size_t capacity);

/* --- state.c: one record per Xsocket, found by its file descriptor --- */

typedef struct packet {
  struct packet *next;
  size_t length;
  uint8_t data[];
} packet;

typedef struct {
  int type;
  bool connected;
  packet *early_first; /* pushed by the node while an answer was awaited */
  packet *early_last;
  int early_count;
  packet *left;        /* a packet that was read in part */
  size_t left_at;
  sockaddr_x left_from;
  bool left_has_from;
  pthread_mutex_t reading; /* one call that waits for data at a time; taken before the lock */
  pthread_mutex_t lock;    /* what is here and the exchange of a call with its answer; sending needs none */
  int waiting;             /* calls that wait for data, and leave the lock to others meanwhile */
  int users;
  bool closed;
  volatile bool closing; /* calls that wait give up with EBADF */

  /* Flow control with a node that offers it; window 0 means that it does not, as the prototype. */
  pthread_mutex_t sending; /* pieces go out in the order of their offsets */
  pthread_mutex_t credit_lock;
  int credit_fd; /* reports come here, so that they never make the socket look readable; -1: none */
  uint64_t window;
  uint64_t sent;
  uint64_t taken; /* of the sent bytes, by the node */
  uint64_t received;
  uint64_t reported; /* of the received bytes, to the node */
  bool ended;        /* nothing more will come */
  int end_error;     /* why, 0: the peer has finished */
  int broken;        /* errno for sends */
} xsocket;

HIDDEN int state_add(int fd, int type);
/* The locked record of a socket, or NULL with errno EBADF. */
HIDDEN xsocket *state_lock(int fd);
HIDDEN void state_unlock(xsocket *s);
/* The same for calls that wait for data: they let calls with an answer in between. */
HIDDEN xsocket *state_read(int fd);
HIDDEN void state_end_read(xsocket *s);
/* The record without the lock, kept alive until state_release; for calls that only send. */
HIDDEN xsocket *state_hold(int fd);
HIDDEN void state_release(xsocket *s);
/* Makes calls that wait on this socket give up. */
HIDDEN void state_interrupt(int fd);
HIDDEN void state_remove(int fd);
/* Whether bytes wait in the library that poll on the descriptor cannot see. */
HIDDEN bool state_has_data(int fd);

/* --- click.c: the exchange with the node --- */

typedef struct {
  uint8_t *data; /* API_MESSAGE_MAX bytes, owned by the calling thread */
  pb_in body;    /* the sub-message */
  int type;
  uint64_t window;   /* field 100: the node offers flow control */
  uint64_t consumed; /* field 101: bytes that the node has taken in all */
  bool has_end;
  int end_error;     /* field 104 */
  bool has_number;
  unsigned number;   /* field 106 */
} api_message;

HIDDEN int click_socket(void);
/* Sends one message whose sub-message was built in body (may be NULL). */
HIDDEN int click_send(int fd, int type, const pb_out *body);
/* The same with fields beside the sub-message (may be NULL). */
HIDDEN int click_send_with(int fd, int type, const pb_out *body, const pb_out *beside);
/* The UDP port of a descriptor, 0 if it has none. */
HIDDEN int click_port_of(int fd);
/* Waits for a message of one of two types; others that carry data are kept. timeout_ms < 0 waits for ever.
 * For data the caller has the record from state_read, and the lock is open while nothing is there. */
HIDDEN int click_receive(int fd, xsocket *s, int type, int or_type, int timeout_ms, api_message *message);
/* Sends a request and waits for its XRESULT; 0 or -1 with errno. */
HIDDEN int click_call(int fd, xsocket *s, int type, const pb_out *body, const pb_out *beside);
/* Sends a request and waits for the message of the same type. */
HIDDEN int click_ask(int fd, xsocket *s, int type, const pb_out *body, const pb_out *beside, api_message *answer);
/* Waits until length more bytes may be sent and gives the offset of the first; 0 or -1 with errno. */
HIDDEN int credit_wait(xsocket *s, size_t length, uint64_t *offset);
/* Counts received bytes and tells the node now and then. */
HIDDEN void credit_received(int fd, xsocket *s, size_t length);
HIDDEN uint8_t *click_buffer(void);
HIDDEN int click_timeout_ms(void);
HIDDEN int text_field(pb_in body, int field, char *out, size_t capacity);

#endif
