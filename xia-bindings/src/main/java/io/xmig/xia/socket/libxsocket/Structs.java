package io.xmig.xia.socket.libxsocket;

/**
 * Sizes and offsets of the C structures on x86-64 and other 64-bit Linux machines; a test holds
 * them against the C compiler.
 *
 * @source XIA prototype v1.1, docs/xsocket-api.md section A2
 */
final class Structs {
  private Structs() {}

  static final class ChunkContext {
    static final int SIZE = 20;
    static final int SOCKFD = 0;
    static final int CONTEXT_ID = 4;
    static final int CACHE_POLICY = 8;
    static final int CACHE_SIZE = 12;
    static final int TTL = 16;

    private ChunkContext() {}
  }

  static final class ChunkInfo {
    static final int LENGTH = 72;
    static final int SIZE = 0;
    static final int CID = 4;
    static final int CID_DIGITS = 40;
    static final int TTL = 48;
    static final int TIMESTAMP = 56;

    private ChunkInfo() {}
  }

  static final class ChunkStatus {
    static final int SIZE = 24;
    static final int CID = 0;
    static final int CID_LEN = 8;
    static final int STATUS = 16;

    private ChunkStatus() {}
  }

  static final class AddrInfo {
    static final int SIZE = 48;
    static final int FLAGS = 0;
    static final int FAMILY = 4;
    static final int SOCKTYPE = 8;
    static final int PROTOCOL = 12;
    static final int ADDRLEN = 16;
    static final int ADDR = 24;
    static final int CANONNAME = 32;
    static final int NEXT = 40;

    private AddrInfo() {}
  }
}
