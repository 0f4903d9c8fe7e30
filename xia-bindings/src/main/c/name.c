#include "internal.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_PACKET_MAX 1024
#define NAME_REGISTER 1
#define NAME_QUERY 2
#define NAME_RESPONSE 3
#define NAME_TRIES 3
#define NULL_4ID_DIGITS "4500000000010000fafa00000000000000000000"
#define LOOPBACK_4ID_DIGITS "4500000000010000fafa0000000000007f000001"

static int fail(int error) {
  errno = error;
  return -1;
}

int XreadLocalHostAddr(int sockfd, char *ad, unsigned ad_len, char *hid, unsigned hid_len, char *ip4, unsigned ip4_len) {
  api_message answer;
  if (ad == NULL || hid == NULL || ip4 == NULL) {
    return fail(EINVAL);
  }
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  int result = click_ask(sockfd, s, API_READLOCALHOSTADDR, NULL, NULL, &answer);
  if (result == 0 && (text_field(answer.body, 1, ad, ad_len) < 0 || text_field(answer.body, 2, hid, hid_len) < 0)) {
    errno = ECLICKCONTROL;
    result = -1;
  }
  if (result == 0 && text_field(answer.body, 3, ip4, ip4_len) < 0 && ip4_len > 0) {
    *ip4 = 0;
  }
  state_unlock(s);
  return result;
}

static int send_text(int sockfd, int type, const char *first, const char *second) {
  uint8_t bytes[DAG_TEXT_MAX + 128];
  pb_out body = {bytes, sizeof bytes, 0, false};
  xsocket *s = state_hold(sockfd);
  if (s == NULL) {
    return -1;
  }
  pb_text(&body, 1, first);
  if (second != NULL) {
    pb_text(&body, 2, second);
  }
  int result = click_send(sockfd, type, &body);
  state_release(s);
  return result;
}

int XupdateAD(int sockfd, char *ad, char *ip4) {
  return ad == NULL ? fail(EFAULT) : send_text(sockfd, API_CHANGEAD, ad, ip4);
}

int XupdateNameServerDAG(int sockfd, char *dag) {
  return dag == NULL ? fail(EFAULT) : send_text(sockfd, API_UPDATENAMESERVERDAG, dag, NULL);
}

int XreadNameServerDAG(int sockfd, sockaddr_x *dag) {
  api_message answer;
  pb_field text;
  if (dag == NULL) {
    return fail(EINVAL);
  }
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  int result = click_ask(sockfd, s, API_READNAMESERVERDAG, NULL, NULL, &answer);
  if (result == 0) {
    int error = errno;
    if (!pb_find(answer.body, 1, &text)) {
      result = fail(ECLICKCONTROL);
    } else if (dag_parse((const char *)text.data, text.length, dag) < 0) {
      errno = error; /* none is set: the prototype does not touch errno then */
      result = -1;
    }
  }
  state_unlock(s);
  return result;
}

int XisDualStackRouter(int sockfd) {
  api_message answer;
  pb_field flag;
  xsocket *s = state_lock(sockfd);
  if (s == NULL) {
    return -1;
  }
  int result = click_ask(sockfd, s, API_ISDUALSTACKROUTER, NULL, NULL, &answer);
  if (result == 0) {
    result = pb_find(answer.body, 1, &flag) ? (int)flag.number : 0;
  }
  state_unlock(s);
  return result;
}

static size_t add_text(uint8_t *packet, size_t at, const char *text) {
  size_t length = strlen(text) + 1;
  if (at == 0 || length > NAME_PACKET_MAX - at) {
    return 0;
  }
  memcpy(packet + at, text, length);
  return at + length;
}

/* Asks the name server and takes its answer: type LE16, name NUL, DAG NUL. */
static int ask_name_server(int type, const char *name, const char *dag, sockaddr_x *found) {
  uint8_t packet[NAME_PACKET_MAX];
  sockaddr_x server;
  int fd = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
  if (fd < 0) {
    return -1;
  }
  int result = -1;
  if (XreadNameServerDAG(fd, &server) < 0) {
    Xclose(fd);
    return fail(NO_RECOVERY);
  }
  packet[0] = (uint8_t)type;
  packet[1] = 0;
  size_t length = add_text(packet, 2, name);
  if (dag != NULL) {
    length = add_text(packet, length, dag);
  }
  int error = length == 0 ? EMSGSIZE : ETIMEDOUT;
  for (int try = 0; length > 0 && result < 0 && try < NAME_TRIES; try++) {
    if (Xsendto(fd, packet, length, 0, (struct sockaddr *)&server, sizeof server) < 0) {
      error = errno;
      break;
    }
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (result < 0 && Xpoll(&ready, 1, click_timeout_ms() / NAME_TRIES) > 0) {
      uint8_t answer[NAME_PACKET_MAX + 1];
      int got = Xrecvfrom(fd, answer, NAME_PACKET_MAX, 0, NULL, NULL);
      if (got < 2) {
        continue;
      }
      answer[got] = 0;
      size_t name_length = strnlen((char *)answer + 2, (size_t)got - 2);
      size_t dag_at = 2 + name_length + 1;
      int answer_type = answer[0] | answer[1] << 8;
      if (answer_type == NAME_RESPONSE && dag_at < (size_t)got && strcmp((char *)answer + 2, name) == 0) {
        result = found == NULL ? 0 : dag_parse((char *)answer + dag_at, (size_t)got - dag_at, found);
        error = errno;
      } else if (answer_type != NAME_RESPONSE) {
        error = 0; /* the prototype reports "not found" without an error number */
        try = NAME_TRIES;
        break;
      }
    }
  }
  Xclose(fd);
  if (result < 0) {
    errno = error;
  }
  return result;
}

int XgetDAGbyName(const char *name, sockaddr_x *addr, socklen_t *addrlen) {
  char text[DAG_TEXT_MAX];
  if (name == NULL || *name == 0 || addr == NULL || addrlen == NULL || *addrlen < sizeof(sockaddr_x)) {
    return fail(EINVAL);
  }
  *addrlen = sizeof(sockaddr_x);
  if (conf_host(name, text, sizeof text)) {
    return dag_parse(text, strlen(text), addr);
  }
  if (strncmp(name, "RE ", 3) == 0 || strncmp(name, "DAG ", 4) == 0) {
    return dag_parse(name, strlen(name), addr);
  }
  return ask_name_server(NAME_QUERY, name, NULL, addr);
}

int XregisterName(const char *name, sockaddr_x *addr) {
  char text[DAG_TEXT_MAX];
  if (name == NULL || *name == 0 || addr == NULL || addr->sx_family != AF_XIA || dag_print(addr, text, sizeof text) < 0) {
    return fail(EINVAL);
  }
  return ask_name_server(NAME_REGISTER, name, text, NULL);
}

static int local_address(sockaddr_x *out) {
  char ad[64];
  char hid[64];
  char ip4[64];
  char text[DAG_TEXT_MAX];
  int fd = Xsocket(AF_XIA, XSOCK_DGRAM, 0);
  if (fd < 0) {
    return EAI_SYSTEM;
  }
  int result = XreadLocalHostAddr(fd, ad, sizeof ad, hid, sizeof hid, ip4, sizeof ip4);
  int error = errno;
  Xclose(fd);
  if (result < 0) {
    errno = error;
    return EAI_SYSTEM;
  }
  bool has_ip = *ip4 != 0 && strstr(ip4, NULL_4ID_DIGITS) == NULL && strstr(ip4, LOOPBACK_4ID_DIGITS) == NULL;
  if (has_ip) {
    snprintf(text, sizeof text, "RE ( %s ) %s %s", ip4, ad, hid);
  } else {
    snprintf(text, sizeof text, "RE %s %s", ad, hid);
  }
  return dag_parse(text, strlen(text), out) == 0 ? 0 : EAI_FAIL;
}

/* Appends a service as the new sink: what led nowhere leads to it, the source's edges move into it. */
static bool append_service(sockaddr_x *addr, const xid_t *service) {
  int count = addr->sx_addr.s_count;
  node_t *nodes = addr->sx_addr.s_addr;
  if (count >= NODES_MAX) {
    return false;
  }
  node_t *sink = &nodes[count - 1];
  nodes[count].s_xid = *service;
  memcpy(nodes[count].s_edge, sink->s_edge, EDGES_MAX);
  memset(sink->s_edge, EDGE_UNUSED, EDGES_MAX);
  sink->s_edge[0] = (uint8_t)count;
  addr->sx_addr.s_count = (uint8_t)(count + 1);
  return true;
}

int Xgetaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  static const int refused = AI_V4MAPPED | AI_ADDRCONFIG | AI_ALL | AI_IDN | AI_CANONIDN;
  int flags = hints != NULL ? hints->ai_flags : 0;
  int socktype = hints != NULL ? hints->ai_socktype : 0;
  sockaddr_x address;
  if (result == NULL) {
    return EAI_NONAME;
  }
  *result = NULL;
  if (hints != NULL && hints->ai_family != AF_XIA && hints->ai_family != AF_UNSPEC) {
    return EAI_FAMILY;
  }
  if (hints != NULL && hints->ai_protocol != 0) {
    return EAI_SOCKTYPE;
  }
  if (socktype != 0 && socktype != XSOCK_STREAM && socktype != XSOCK_DGRAM && socktype != XSOCK_CHUNK) {
    return EAI_SOCKTYPE;
  }
  if ((flags & refused) != 0 || ((flags & AI_CANONNAME) != 0 && name == NULL)) {
    return EAI_BADFLAGS;
  }
  if (name == NULL) {
    int error = local_address(&address);
    if (error != 0) {
      return error;
    }
  } else if ((flags & XAI_DAGHOST) != 0) {
    if (dag_parse(name, strlen(name), &address) < 0) {
      return EAI_NONAME;
    }
  } else {
    socklen_t length = sizeof address;
    if (XgetDAGbyName(name, &address, &length) < 0) {
      /* 0: not found, EINVAL: not a DAG, NO_RECOVERY: no name server; anything else is trouble with Click */
      return errno == 0 || errno == EINVAL || errno == NO_RECOVERY ? EAI_NONAME : EAI_SYSTEM;
    }
  }
  if (service != NULL) {
    xid_t xid;
    if (!xid_parse(service, strlen(service), &xid) || !append_service(&address, &xid)) {
      return EAI_SERVICE;
    }
  }
  /* One block, so that the C library's freeaddrinfo, which programs call too, frees all of it. */
  struct addrinfo *info = calloc(1, sizeof *info + sizeof address);
  if (info == NULL) {
    return EAI_MEMORY;
  }
  info->ai_flags = flags;
  info->ai_family = AF_XIA;
  info->ai_socktype = socktype;
  info->ai_addrlen = sizeof address;
  info->ai_addr = (struct sockaddr *)(info + 1);
  memcpy(info->ai_addr, &address, sizeof address);
  if ((flags & AI_CANONNAME) != 0) {
    info->ai_canonname = strdup(name);
    if (info->ai_canonname == NULL) {
      free(info);
      return EAI_MEMORY;
    }
  }
  *result = info;
  return 0;
}

void Xfreeaddrinfo(struct addrinfo *result) {
  while (result != NULL) {
    struct addrinfo *next = result->ai_next;
    free(result->ai_canonname);
    free(result);
    result = next;
  }
}

const char *xerr_unimplemented = "not implemented";

const char *Xgai_strerror(int code) { return code == XEAI_UNIMPLEMENTED ? xerr_unimplemented : gai_strerror(code); }
