/* The Xsocket API, release 1.1: what a C program includes to talk XIA. Layouts and numbers are those of the
 * prototype's library, so that a program built against either header runs with either library (x86-64 Linux). */
#ifndef XMIG_XSOCKET_H
#define XMIG_XSOCKET_H

#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AF_XIA 40
#define PF_XIA AF_XIA

#define XSOCK_INVALID (-1)
#define XSOCK_STREAM 1
#define XSOCK_DGRAM 2
#define XSOCK_RAW 3
#define XSOCK_CHUNK 4

#define XIA_MAXBUF 15600
#define XIA_MAXCHUNK 15600
#define MAXBUFLEN 15600
#define DEFAULT_CHUNK_SIZE 2000

#define XID_SIZE 20
#define EDGES_MAX 4
#define EDGE_UNUSED 127
#define NODES_MAX 20
#define CID_HASH_SIZE 40

#define XID_TYPE_AD 0x10
#define XID_TYPE_HID 0x11
#define XID_TYPE_CID 0x12
#define XID_TYPE_SID 0x13
#define XID_TYPE_IP 0x14

#define REQUEST_FAILED 0x00000001
#define WAITING_FOR_CHUNK 0x00000002
#define READY_TO_READ 0x00000004
#define INVALID_HASH 0x00000008

#define POLICY_LRU 0x00000001
#define POLICY_FIFO 0x00000002
#define POLICY_REMOVE_ON_EXIT 0x00001000
#define POLICY_RETAIN_ON_EXIT 0x00002000
#define POLICY_DEFAULT (POLICY_LRU | POLICY_RETAIN_ON_EXIT)

#define XOPT_HLIM 1
#define XOPT_NEXT_PROTO 2
#define XPROTO_XIA_TRANSPORT 0x0e
#define XPROTO_XCMP 0x3d

#define ECLICKCONTROL 9999

#define XAI_DAGHOST AI_NUMERICHOST
#define XAI_XIDSERV AI_NUMERICSERV
#define XAI_FALLBACK 0x1000
#define XEAI_UNIMPLEMENTED (-8000)

/* 24 bytes; the type is in host byte order */
typedef struct {
  uint32_t s_type;
  uint8_t s_id[XID_SIZE];
} xid_t;

/* 28 bytes; the edges of the last node of an address are those of the virtual source */
typedef struct {
  xid_t s_xid;
  uint8_t s_edge[EDGES_MAX];
} node_t;

/* 564 bytes; only the first s_count nodes mean anything */
typedef struct {
  uint8_t s_count;
  node_t s_addr[NODES_MAX];
} x_addr_t;

/* 568 bytes */
typedef struct sockaddr_x {
  uint16_t sx_family;
  x_addr_t sx_addr;
} sockaddr_x;

typedef struct {
  int sockfd;
  int32_t contextID;
  unsigned cachePolicy;
  unsigned cacheSize;
  unsigned ttl;
} ChunkContext;

typedef struct {
  int size;
  char cid[CID_HASH_SIZE + 1];
  int32_t ttl;
  struct timeval timestamp;
} ChunkInfo;

typedef struct {
  char *cid;
  size_t cidLen;
  int status;
} ChunkStatus;

int Xsocket(int family, int transport_type, int protocol);
int Xbind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
int Xlisten(int sockfd, int backlog);
int Xconnect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
int Xaccept(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
int Xaccept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags);
int Xsend(int sockfd, const void *buf, size_t len, int flags);
int Xrecv(int sockfd, void *buf, size_t len, int flags);
int Xsendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *addr, socklen_t addrlen);
int Xrecvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *addr, socklen_t *addrlen);
int Xclose(int sockfd);
int Xflowcontrol(int sockfd);
int Xfcntl(int sockfd, int cmd, ...);
int Xselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *errorfds, struct timeval *timeout);
int Xpoll(struct pollfd *fds, unsigned nfds, int timeout);
int Xsetsockopt(int sockfd, int optname, const void *optval, socklen_t optlen);
int Xgetsockopt(int sockfd, int optname, void *optval, socklen_t *optlen);
int Xgetpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
int Xgetsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);

int XreadLocalHostAddr(int sockfd, char *ad, unsigned ad_len, char *hid, unsigned hid_len, char *ip4, unsigned ip4_len);
int XupdateAD(int sockfd, char *ad, char *ip4);
int XreadNameServerDAG(int sockfd, sockaddr_x *dag);
int XupdateNameServerDAG(int sockfd, char *dag);
int XisDualStackRouter(int sockfd);
int XgetDAGbyName(const char *name, sockaddr_x *addr, socklen_t *addrlen);
int XregisterName(const char *name, sockaddr_x *addr);
int Xgetaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result);
void Xfreeaddrinfo(struct addrinfo *result);
const char *Xgai_strerror(int code);
int checkXid(const char *xid, const char *type);
int checkDag(const char *dag);
char *XrootDir(char *buf, unsigned len);

ChunkContext *XallocCacheSlice(unsigned policy, unsigned ttl, unsigned size);
int XfreeCacheSlice(ChunkContext *context);
int XputChunk(const ChunkContext *context, const char *data, unsigned length, ChunkInfo *info);
int XputFile(ChunkContext *context, const char *path, unsigned chunkSize, ChunkInfo **infos);
int XputBuffer(ChunkContext *context, const char *data, unsigned length, unsigned chunkSize, ChunkInfo **infos);
void XfreeChunkInfo(ChunkInfo *infos);
int XremoveChunk(ChunkContext *context, const char *cid);
int XrequestChunk(int sockfd, char *dag, size_t dagLen);
int XrequestChunks(int sockfd, const ChunkStatus *chunks, int numChunks);
int XgetChunkStatus(int sockfd, char *dag, size_t dagLen);
int XgetChunkStatuses(int sockfd, ChunkStatus *statuses, int numChunks);
/* Not in the prototype, only with a node of ours. Requests chunks that the node sends as they arrive, unasked; the first
 * one has this number, the next ones the following. Chunks of such a socket are taken with XtakeChunk only. 0, or -1 with
 * errno, EOPNOTSUPP with another node. */
int XrequestDelivery(int sockfd, const ChunkStatus *chunks, int numChunks, unsigned first);
/* Waits for the next of them: its length and number; 0 if none came in time (-1: waits for ever). -1 with errno; with a
 * number other than UINT32_MAX that chunk cannot be had. */
int XtakeChunk(int sockfd, void *buf, size_t len, unsigned *number, int timeoutMs);
int XreadChunk(int sockfd, void *buf, size_t len, int flags, char *cid, size_t cidLen);

/* Values of ini files: lengths of texts, 1 for a file that was written, the value given if there is none in the file. */
int ini_gets(const char *section, const char *key, const char *otherwise, char *buffer, int size, const char *file);
long ini_getl(const char *section, const char *key, long otherwise, const char *file);
float ini_getf(const char *section, const char *key, float otherwise, const char *file);
int ini_getbool(const char *section, const char *key, int otherwise, const char *file);
int ini_getkey(const char *section, int index, char *buffer, int size, const char *file);
int ini_getsection(int index, char *buffer, int size, const char *file);
int ini_puts(const char *section, const char *key, const char *value, const char *file);
int ini_putl(const char *section, const char *key, long value, const char *file);
int ini_putf(const char *section, const char *key, float value, const char *file);

extern const char *xerr_unimplemented;

int set_conf(const char *filename, const char *sectionname);
void print_conf(void);

#ifdef __cplusplus
}
#endif

#endif
