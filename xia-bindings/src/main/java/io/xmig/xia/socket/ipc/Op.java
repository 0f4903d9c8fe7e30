package io.xmig.xia.socket.ipc;

import org.jspecify.annotations.Nullable;

/**
 * The messages of the local API, each with the longest body it may have, which is checked before
 * anything is allocated for it.
 *
 * <pre>
 *   0        4     5     6        8         12        16
 *   | length | op  | 0   | 0  0   | handle  | tag     | body …   big-endian; length is the body's
 * </pre>
 *
 * A bulk message's body is a CID of 24 bytes and then a chunk, which is received straight into the
 * buffer where it will stay.
 */
enum Op {
  // client to node
  HELLO(1, 64),
  UPDATE_AD(2, 64),
  NAME_SERVER(3, 0),
  UPDATE_NAME_SERVER(4, Limits.DAG),
  LISTEN(5, 64),
  CONNECT(6, Limits.DAG + 8),
  OPEN_DATAGRAM(7, 32),
  OPEN_XCMP(8, 0),
  ALLOCATE_SLICE(9, 32),
  OPEN_CHUNKS(10, 0),
  READ_HANDLER(11, Limits.PATH),
  WRITE_HANDLER(12, Limits.VALUE),
  CLOSE(13, 0),
  SHUTDOWN(14, 0),
  ABORT(15, 0),
  SEND_DATAGRAM(16, Limits.DATAGRAM),
  ECHO(17, Limits.DATAGRAM),
  PUT(18, Limits.CHUNK),
  REMOVE(19, 24),
  REQUEST(20, Limits.DAG + 4),
  CANCEL(21, 24),
  SEND_ON_LINK(22, Limits.DATAGRAM),
  // both ways
  DATA(30, Limits.DATA),
  CREDIT(31, 16),
  // node to client
  WELCOME(40, 1024),
  DONE(41, Limits.VALUE),
  FAILED(42, Limits.MESSAGE),
  ADDRESS(43, 128),
  LINK_EVENT(44, 16),
  ACCEPTED(45, 2 * Limits.DAG + 4),
  DAGS(46, 2 * Limits.DAG),
  END(47, 0),
  CLOSED(48, Limits.MESSAGE),
  DATAGRAM(49, Limits.DATAGRAM),
  XCMP(50, Limits.DATAGRAM),
  CHUNK(51, Limits.CHUNK),
  CHUNK_FAILED(52, Limits.MESSAGE + 24);

  /** Sizes in bytes. */
  static final class Limits {
    /** One DAG: a count and up to 20 nodes. */
    static final int DAG = 1 + 20 * 28;

    /** A handler's path. */
    static final int PATH = 4096;

    /** A handler's value, e.g. a large routing table. */
    static final int VALUE = 16 << 20;

    /** A datagram with its address. */
    static final int DATAGRAM = 65_535 + DAG + 16;

    /** A chunk with its CID; the node may allow less. */
    static final int CHUNK = 24 + (64 << 20);

    /** Part of a stream. */
    static final int DATA = 64 << 10;

    /** Text of an error. */
    static final int MESSAGE = 4096;

    private Limits() {}
  }

  /** Bytes of a message before its body. */
  static final int HEADER_LENGTH = 16;

  /** Bytes before the chunk in a bulk message. */
  static final int PREFIX_LENGTH = 24;

  /** What both ends must agree on. */
  static final int VERSION = 1;

  /** First word of HELLO: "XMIG". */
  static final int MAGIC = 0x584d4947;

  private static final @Nullable Op[] BY_CODE = new @Nullable Op[64];

  static {
    for (Op op : values()) {
      BY_CODE[op.code] = op;
    }
  }

  final int code;
  final int maxBody;

  Op(int code, int maxBody) {
    this.code = code;
    this.maxBody = maxBody;
  }

  boolean isBulk() {
    return this == PUT || this == CHUNK;
  }

  static @Nullable Op of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
