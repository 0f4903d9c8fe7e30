#include "internal.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
  const char *name;
  uint32_t type;
} PRINCIPALS[] = {{"AD", XID_TYPE_AD}, {"HID", XID_TYPE_HID}, {"CID", XID_TYPE_CID}, {"SID", XID_TYPE_SID}, {"IP", XID_TYPE_IP}};

typedef struct {
  const char *at;
  const char *end;
} reader;

typedef struct {
  const char *text;
  size_t length;
} word;

static bool next_word(reader *in, word *out) {
  while (in->at < in->end && isspace((unsigned char)*in->at)) {
    in->at++;
  }
  out->text = in->at;
  while (in->at < in->end && !isspace((unsigned char)*in->at)) {
    in->at++;
  }
  out->length = (size_t)(in->at - out->text);
  return out->length > 0;
}

static bool word_is(const word *w, const char *text) {
  return w->length == strlen(text) && memcmp(w->text, text, w->length) == 0;
}

static bool parse_ipv4(const char *text, size_t length, uint8_t out[4]) {
  char copy[16];
  if (length >= sizeof copy) {
    return false;
  }
  memcpy(copy, text, length);
  copy[length] = 0;
  unsigned a, b, c, d;
  char rest;
  if (sscanf(copy, "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &rest) != 4 || a > 255 || b > 255 || c > 255 || d > 255) {
    return false;
  }
  out[0] = (uint8_t)a;
  out[1] = (uint8_t)b;
  out[2] = (uint8_t)c;
  out[3] = (uint8_t)d;
  return true;
}

bool xid_parse(const char *text, size_t length, xid_t *out) {
  const char *colon = memchr(text, ':', length);
  if (colon == NULL) {
    return false;
  }
  size_t name = (size_t)(colon - text);
  const char *id = colon + 1;
  size_t digits = length - name - 1;
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < sizeof PRINCIPALS / sizeof *PRINCIPALS; i++) {
    if (strlen(PRINCIPALS[i].name) == name && strncasecmp(PRINCIPALS[i].name, text, name) == 0) {
      out->s_type = PRINCIPALS[i].type;
    }
  }
  if (out->s_type == 0) {
    return false;
  }
  if (out->s_type == XID_TYPE_IP && memchr(id, '.', digits) != NULL) {
    static const uint8_t prefix[] = {0x45, 0, 0, 0, 0, 1, 0, 0, 0xfa, 0xfa};
    memcpy(out->s_id, prefix, sizeof prefix);
    return parse_ipv4(id, digits, out->s_id + 16);
  }
  if (digits != 2 * XID_SIZE) {
    return false;
  }
  for (size_t i = 0; i < digits; i++) {
    if (!isxdigit((unsigned char)id[i])) {
      return false;
    }
    char c = (char)tolower((unsigned char)id[i]);
    uint8_t nibble = (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    out->s_id[i / 2] = (uint8_t)(out->s_id[i / 2] << 4 | nibble);
  }
  return true;
}

static void clear(sockaddr_x *out) {
  memset(out, 0, sizeof *out);
  out->sx_family = AF_XIA;
  for (int i = 0; i < NODES_MAX; i++) {
    memset(out->sx_addr.s_addr[i].s_edge, EDGE_UNUSED, EDGES_MAX);
  }
}

static bool add_edge(node_t *node, int to) {
  for (int i = 0; i < EDGES_MAX; i++) {
    if (node->s_edge[i] == EDGE_UNUSED) {
      node->s_edge[i] = (uint8_t)to;
      return true;
    }
  }
  return false;
}

/* The source's edges have no node of their own while parsing: slot NODES_MAX. */
typedef struct {
  node_t node[NODES_MAX + 1];
  int count;
} graph;

static bool graph_edge(graph *g, int from, int to) { return add_edge(&g->node[from], to); }

/* RE: an optional group in parentheses is a chain of fallbacks for the XID that follows it. Only the last
 * fallback leads on to that XID. */
static bool parse_re(reader *in, graph *g) {
  int previous = NODES_MAX;
  word w;
  while (next_word(in, &w)) {
    int fallback_first = -1;
    int fallback_last = -1;
    if (word_is(&w, "(")) {
      for (;;) {
        if (!next_word(in, &w)) {
          return false;
        }
        if (word_is(&w, ")")) {
          break;
        }
        if (g->count >= NODES_MAX || !xid_parse(w.text, w.length, &g->node[g->count].s_xid)) {
          return false;
        }
        if (fallback_last >= 0 && !graph_edge(g, fallback_last, g->count)) {
          return false;
        }
        fallback_last = g->count++;
        if (fallback_first < 0) {
          fallback_first = fallback_last;
        }
      }
      if (fallback_first < 0 || !next_word(in, &w)) {
        return false;
      }
    }
    if (g->count >= NODES_MAX || !xid_parse(w.text, w.length, &g->node[g->count].s_xid)) {
      return false;
    }
    int main_node = g->count++;
    if (!graph_edge(g, previous, main_node)) {
      return false;
    }
    if (fallback_first >= 0 && (!graph_edge(g, previous, fallback_first) || !graph_edge(g, fallback_last, main_node))) {
      return false;
    }
    previous = main_node;
  }
  return g->count > 0;
}

static bool parse_dag(reader *in, graph *g) {
  int from = NODES_MAX;
  bool open = true; /* edges of `from` may still follow */
  word w;
  while (next_word(in, &w)) {
    if (word_is(&w, "-")) {
      open = false;
    } else if (isdigit((unsigned char)*w.text)) {
      if (!open || w.length > 2) {
        return false;
      }
      int to = atoi(w.text);
      if (to >= NODES_MAX || !graph_edge(g, from, to)) {
        return false;
      }
    } else {
      if (g->count >= NODES_MAX || !xid_parse(w.text, w.length, &g->node[g->count].s_xid)) {
        return false;
      }
      from = g->count++;
      open = true;
    }
  }
  return g->count > 0;
}

int dag_parse(const char *text, size_t length, sockaddr_x *out) {
  reader in = {text, text + strnlen(text, length)};
  graph g;
  word w;
  memset(&g, 0, sizeof g);
  for (int i = 0; i <= NODES_MAX; i++) {
    memset(g.node[i].s_edge, EDGE_UNUSED, EDGES_MAX);
  }
  clear(out);
  bool good = next_word(&in, &w) && (word_is(&w, "RE") ? parse_re(&in, &g) : word_is(&w, "DAG") && parse_dag(&in, &g));
  if (good) {
    memcpy(out->sx_addr.s_addr, g.node, sizeof(node_t) * (size_t)g.count);
    out->sx_addr.s_count = (uint8_t)g.count;
    memcpy(out->sx_addr.s_addr[g.count - 1].s_edge, g.node[NODES_MAX].s_edge, EDGES_MAX);
    good = dag_is_valid(out);
  }
  if (!good) {
    clear(out);
    errno = EINVAL;
    return -1;
  }
  return 0;
}

bool dag_is_valid(const sockaddr_x *addr) {
  int count = addr->sx_addr.s_count;
  if (addr->sx_family != AF_XIA || count < 1 || count > NODES_MAX) {
    return false;
  }
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < EDGES_MAX; k++) {
      uint8_t edge = addr->sx_addr.s_addr[i].s_edge[k];
      if (edge != EDGE_UNUSED && edge >= count) {
        return false;
      }
    }
  }
  return true;
}

static int print_xid(const xid_t *xid, char *out) {
  const char *name = NULL;
  int at = 0;
  for (size_t i = 0; i < sizeof PRINCIPALS / sizeof *PRINCIPALS; i++) {
    if (PRINCIPALS[i].type == xid->s_type) {
      name = PRINCIPALS[i].name;
    }
  }
  at = name != NULL ? sprintf(out, "%s:", name) : sprintf(out, "%08x:", xid->s_type);
  for (int i = 0; i < XID_SIZE; i++) {
    at += sprintf(out + at, "%02x", xid->s_id[i]);
  }
  return at;
}

int dag_print(const sockaddr_x *addr, char *out, size_t capacity) {
  /* 49 characters of an XID at the most, and four edges of two digits with " - \n" behind them */
  if (!dag_is_valid(addr)) {
    errno = EINVAL;
    return -1;
  }
  int count = addr->sx_addr.s_count;
  if (capacity < (size_t)(count + 1) * 72) {
    errno = EMSGSIZE;
    return -1;
  }
  int at = sprintf(out, "DAG");
  for (int i = -1; i < count; i++) {
    if (i >= 0) {
      at += print_xid(&addr->sx_addr.s_addr[i].s_xid, out + at);
    }
    if (i == count - 1) {
      break;
    }
    const node_t *edges = &addr->sx_addr.s_addr[i < 0 ? count - 1 : i];
    for (int k = 0; k < EDGES_MAX; k++) {
      if (edges->s_edge[k] != EDGE_UNUSED) {
        at += sprintf(out + at, " %d", edges->s_edge[k]);
      }
    }
    at += sprintf(out + at, " - \n");
  }
  return at;
}

int checkXid(const char *xid, const char *type) {
  if (xid == NULL) {
    return 0;
  }
  const char *colon = strchr(xid, ':');
  if (colon == NULL || strlen(colon + 1) != 2 * XID_SIZE || strchr(colon + 1, ':') != NULL) {
    return 0;
  }
  if (type != NULL && *type != 0) {
    size_t name = (size_t)(colon - xid);
    size_t wanted = strlen(type);
    if (wanted > 0 && type[wanted - 1] == ':') {
      wanted--;
    }
    if (name != wanted || strncasecmp(xid, type, name) != 0) {
      return 0;
    }
  }
  for (const char *c = colon + 1; *c != 0; c++) {
    if (!isxdigit((unsigned char)*c)) {
      return 0;
    }
  }
  return 1;
}

int checkDag(const char *dag) {
  sockaddr_x parsed;
  return dag != NULL && strncmp(dag, "RE ", 3) == 0 && dag_parse(dag, strlen(dag), &parsed) == 0;
}
