package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.wire.XcmpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * A socket of a node for XCMP. Replies are addressed to its own ephemeral SID; like every other
 * XCMP socket of the node it hears all messages.
 */
final class NodeXcmpSocket implements XcmpSocket {
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
    int length = XcmpFlyweight.ECHO_HEADER_LENGTH + data.remaining();
    int largest = context.maxPacketBytes(destination) - XipFlyweight.lengthOf(destination, source);
    if (length > largest) {
      throw new XiaSocketException(
          XiaSocketException.Kind.MESSAGE_TOO_LONG,
          "echo request too long for the link",
          Map.of("bytes", data.remaining(), "limit", largest - XcmpFlyweight.ECHO_HEADER_LENGTH));
    }
    ByteBuffer out = context.begin(destination, source, XipFlyweight.NEXT_XCMP, hopLimit);
    int at = out.position();
    XcmpFlyweight.writeEchoRequest(out, at, id, sequence);
    out.put(at + XcmpFlyweight.ECHO_HEADER_LENGTH, data, data.position(), data.remaining());
    XcmpFlyweight.seal(out, at, length);
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
