package io.xmig.xia.socket.api;

import com.google.protobuf.ByteString;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;

/**
 * What a raw socket of a program reads: the XIP header and the XCMP message behind it. Made up here
 * for a stack that hands over messages without the packets they came in.
 */
final class RawPacket {
  private static final int FIXED_HEADER = 8;
  private static final int XCMP = 0x3d;
  private static final int HOP_LIMIT = 250;

  private RawPacket() {}

  /** Lays the header of a packet from {@code source} to this host before the message. */
  static ByteString of(XiaStack stack, Dag source, ByteBuffer message) {
    Dag here = stack.localAddress().host();
    ByteBuffer out =
        ByteBuffer.allocate(
            FIXED_HEADER + (here.size() + source.size()) * Dag.NODE_LENGTH + message.remaining());
    out.put((byte) 1).put((byte) XCMP).putShort((short) message.remaining());
    out.put((byte) HOP_LIMIT)
        .put((byte) here.size())
        .put((byte) source.size())
        .put((byte) (here.size() - 1));
    out.put(here.wireBytes()).put(source.wireBytes()).put(message.duplicate());
    return ByteString.copyFrom(out.flip());
  }
}
