package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Encodes and decodes the parts of message bodies. What is read is checked. */
final class Body {
  private Body() {}

  static void putXid(ByteBuffer out, @Nullable Xid xid) {
    if (xid == null) {
      out.putInt(0).putLong(0).putLong(0).putInt(0);
    } else {
      xid.write(out, out.position());
      out.position(out.position() + Xid.LENGTH);
    }
  }

  /** An XID, {@code null} if all its bytes are zero. */
  static @Nullable Xid xidOrNull(ByteBuffer in) {
    need(in, Xid.LENGTH, "xid");
    Xid xid = Xid.read(in, in.position());
    in.position(in.position() + Xid.LENGTH);
    return xid.typeCode() == 0 ? null : xid;
  }

  static Xid xid(ByteBuffer in) {
    Xid xid = xidOrNull(in);
    if (xid == null) {
      throw new IpcProtocolException("missing xid in a local API message", Map.of());
    }
    return xid;
  }

  static Xid xid(ByteBuffer in, XidType type) {
    Xid xid = xid(in);
    if (!xid.is(type)) {
      throw new IpcProtocolException(
          "wrong kind of xid in a local API message", Map.of("xid", xid, "expected", type));
    }
    return xid;
  }

  static void putDag(ByteBuffer out, @Nullable Dag dag) {
    if (dag == null) {
      out.put((byte) 0);
    } else {
      out.put((byte) dag.size()).put(dag.wireBytes());
    }
  }

  static @Nullable Dag dagOrNull(ByteBuffer in) {
    need(in, 1, "dag");
    int size = in.get() & 0xff;
    if (size == 0) {
      return null;
    }
    if (size > Dag.MAX_NODES) {
      throw new IpcProtocolException(
          "too many nodes in a DAG", Map.of("nodes", size, "most", Dag.MAX_NODES));
    }
    need(in, size * Dag.NODE_LENGTH, "dag");
    List<Xid> nodes = new ArrayList<>(size);
    List<int[]> edges = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      int at = in.position() + i * Dag.NODE_LENGTH;
      nodes.add(Xid.read(in, at));
      int[] out = new int[Dag.MAX_EDGES];
      for (int k = 0; k < Dag.MAX_EDGES; k++) {
        out[k] = in.get(at + Xid.LENGTH + k) & 0x7f;
      }
      edges.add(out);
    }
    in.position(in.position() + size * Dag.NODE_LENGTH);
    try {
      return Dag.of(nodes, edges);
    } catch (IllegalArgumentException e) {
      throw new IpcProtocolException("malformed DAG", Map.of("reason", String.valueOf(e)));
    }
  }

  static Dag dag(ByteBuffer in) {
    Dag dag = dagOrNull(in);
    if (dag == null) {
      throw new IpcProtocolException("missing DAG in a local API message", Map.of());
    }
    return dag;
  }

  static void putAddress(ByteBuffer out, LocalAddress address) {
    putXid(out, address.ad());
    putXid(out, address.hid());
    putXid(out, address.fourId());
  }

  static LocalAddress address(ByteBuffer in) {
    return new LocalAddress(xid(in), xid(in), xidOrNull(in));
  }

  /** The rest of the body as text. */
  static String text(ByteBuffer in) {
    byte[] bytes = new byte[in.remaining()];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Text with a length in front. */
  static void putShortText(ByteBuffer out, byte[] utf8) {
    out.putShort((short) utf8.length).put(utf8);
  }

  static String shortText(ByteBuffer in) {
    need(in, 2, "text");
    int length = Short.toUnsignedInt(in.getShort());
    need(in, length, "text");
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** UTF-8, cut to at most {@code max} bytes. */
  static byte[] utf8(String text, int max) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return bytes.length <= max ? bytes : java.util.Arrays.copyOf(bytes, max);
  }

  /** Kind and text of a failure; kind −1 is an orderly end. */
  static void putCause(ByteBuffer out, @Nullable XiaSocketException cause) {
    out.put((byte) (cause == null ? -1 : cause.kind().ordinal()));
    if (cause != null) {
      out.put(utf8(String.valueOf(cause.getMessage()), Op.Limits.MESSAGE - 1));
    }
  }

  static @Nullable XiaSocketException causeOrNull(ByteBuffer in) {
    need(in, 1, "failure");
    int kind = in.get();
    if (kind == -1) {
      return null;
    }
    XiaSocketException.Kind[] kinds = XiaSocketException.Kind.values();
    if (kind < 0 || kind >= kinds.length) {
      throw new IpcProtocolException("unknown kind of failure", Map.of("kind", kind));
    }
    return new XiaSocketException(kinds[kind], text(in));
  }

  static XiaSocketException cause(ByteBuffer in) {
    XiaSocketException cause = causeOrNull(in);
    return cause == null ? new XiaSocketException(XiaSocketException.Kind.CLOSED, "closed") : cause;
  }

  static int int32(ByteBuffer in) {
    need(in, 4, "number");
    return in.getInt();
  }

  static long int64(ByteBuffer in) {
    need(in, 8, "number");
    return in.getLong();
  }

  static int int8(ByteBuffer in) {
    need(in, 1, "number");
    return in.get() & 0xff;
  }

  private static void need(ByteBuffer in, int bytes, String what) {
    if (in.remaining() < bytes) {
      throw new IpcProtocolException(
          "truncated " + what + " in a local API message",
          Map.of("needed", bytes, "available", in.remaining()));
    }
  }

  /** The failure of an operation as an exception of the API, whatever was thrown. */
  static XiaSocketException asSocketException(Throwable thrown) {
    Throwable cause = thrown;
    while ((cause instanceof java.util.concurrent.CompletionException
            || cause instanceof java.util.concurrent.ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof XiaSocketException known) {
      return known;
    }
    if (cause instanceof BufferUnderflowException) {
      return new XiaSocketException(XiaSocketException.Kind.NODE, "truncated request");
    }
    XiaSocketException.Kind kind =
        cause instanceof IllegalArgumentException
            ? XiaSocketException.Kind.BAD_ADDRESS
            : cause instanceof UnsupportedOperationException
                ? XiaSocketException.Kind.UNSUPPORTED
                : XiaSocketException.Kind.NODE;
    String message = cause.getMessage();
    return new XiaSocketException(kind, message == null ? cause.toString() : message);
  }
}
