package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * A socket of a node for XCMP. Replies are addressed to its own ephemeral SID; like every other
 * XCMP socket of the node it hears all messages.
 */
final class NodeXcmpSocket implements XcmpSocket {
  private static final int ECHO_HEADER = 8;

  private final XiaNode node;
  private final TransportContext context;
  private final Xid sid;
  private final XcmpHandler handler;
  private final Runnable onClose;
  private boolean open = true;

  NodeXcmpSocket(XiaNode node, XcmpHandler handler, Runnable onClose) {
    this.node = node;
    this.context = node.context();
    this.sid = EphemeralSids.next(context);
    this.handler = handler;
    this.onClose = onClose;
    context.bind(sid, packet -> {});
    node.xcmp().listen(handler);
  }

  @Override
  public void echo(Dag destination, int id, int sequence, ByteBuffer data, int hopLimit) {
    if (!open) {
      throw new XiaSocketException(XiaSocketException.Kind.CLOSED, "XCMP socket is closed");
    }
    if (hopLimit < 1 || hopLimit > 255) {
      throw new IllegalArgumentException("hop limit is 1 to 255, not " + hopLimit);
    }
    Dag source = context.localAddress().service(sid);
    int length = ECHO_HEADER + data.remaining();
    int largest = context.maxPacketBytes(destination) - XipFlyweight.lengthOf(destination, source);
    if (length > largest) {
      throw new XiaSocketException(
          XiaSocketException.Kind.MESSAGE_TOO_LONG,
          "echo request too long for the link",
          Map.of("bytes", data.remaining(), "limit", largest - ECHO_HEADER));
    }
    ByteBuffer out = context.begin(destination, source, XipFlyweight.NEXT_XCMP, hopLimit);
    int at = out.position();
    out.put(at, (byte) Xcmp.ECHO_REQUEST).put(at + 1, (byte) 0).putShort(at + 2, (short) 0);
    // Identifier and sequence are in host order of the prototype's x86 machines.
    out.putShort(at + 4, Short.reverseBytes((short) id));
    out.putShort(at + 6, Short.reverseBytes((short) sequence));
    out.put(at + ECHO_HEADER, data, data.position(), data.remaining());
    out.putShort(at + 2, (short) Xcmp.checksum(out, at, length));
    out.position(at + length);
    context.send(length);
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      node.xcmp().unlisten(handler);
      context.unbind(sid);
      onClose.run();
    }
  }
}
