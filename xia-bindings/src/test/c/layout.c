/* Prints sizes and offsets of the structures as the C compiler lays them out. */
#include "Xsocket.h"
#include <stddef.h>
#include <stdio.h>

#define SIZE(type) printf(#type " %zu\n", sizeof(type))
#define OFFSET(type, field) printf(#type "." #field " %zu\n", offsetof(type, field))

int main(void) {
  SIZE(sockaddr_x);
  OFFSET(sockaddr_x, sx_addr);
  SIZE(node_t);
  SIZE(ChunkContext);
  OFFSET(ChunkContext, contextID);
  OFFSET(ChunkContext, cachePolicy);
  OFFSET(ChunkContext, cacheSize);
  OFFSET(ChunkContext, ttl);
  SIZE(ChunkInfo);
  OFFSET(ChunkInfo, cid);
  OFFSET(ChunkInfo, ttl);
  OFFSET(ChunkInfo, timestamp);
  SIZE(ChunkStatus);
  OFFSET(ChunkStatus, cidLen);
  OFFSET(ChunkStatus, status);
  typedef struct addrinfo addrinfo;
  SIZE(addrinfo);
  OFFSET(addrinfo, ai_addrlen);
  OFFSET(addrinfo, ai_addr);
  OFFSET(addrinfo, ai_canonname);
  OFFSET(addrinfo, ai_next);
  return 0;
}
