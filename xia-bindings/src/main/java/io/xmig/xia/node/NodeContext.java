package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** A node as its transports see it. All packets are built in one direct buffer. */
final class NodeContext implements TransportContext {
  private static final int XIP = EthernetFlyweight.LENGTH;

  private final XiaNode node;
  private final ByteBuffer bytes = ByteBuffer.allocateDirect(XIP + XiaNode.MAX_PACKET);
  private final XipFlyweight packet = new XipFlyweight();
  private boolean begun;

  NodeContext(XiaNode node) {
    this.node = node;
  }

  @Override
  public long nowNs() {
    return node.loop().nanoTime();
  }

  @Override
  public RandomGenerator random() {
    return node.random();
  }

  @Override
  public EventLoop.Timer schedule(long delayNs, Runnable task) {
    return node.loop().schedule(delayNs, task);
  }

  @Override
  public LocalAddress localAddress() {
    return node.localAddress();
  }

  @Override
  public Runnable onAddressChange(Consumer<LocalAddress> listener) {
    return node.onAddressChange(listener);
  }

  @Override
  public ByteBuffer begin(Dag destination, Dag source, int nextHeader, int hopLimit) {
    bytes.clear();
    int header = XipFlyweight.write(bytes, XIP, nextHeader, 0, hopLimit, destination, source);
    bytes.position(XIP + header);
    begun = true;
    return bytes;
  }

  @Override
  public int links() {
    return node.config().ports().size();
  }

  @Override
  public boolean sendOn(int link, int payloadLength) {
    return node.sendOn(link, finish(payloadLength));
  }

  @Override
  public boolean send(int payloadLength) {
    return node.send(finish(payloadLength));
  }

  private XipFlyweight finish(int payloadLength) {
    if (!begun) {
      throw new IllegalStateException("send without begin");
    }
    if (payloadLength < 0 || payloadLength > 0xffff) {
      throw new IllegalArgumentException("payload length " + payloadLength + " is not a u16");
    }
    begun = false;
    int end = bytes.position();
    bytes.limit(end);
    if (!packet.tryWrap(bytes, XIP, end)) {
      throw new IllegalArgumentException("not a packet: the buffer's position moved backwards");
    }
    packet.payloadLength(payloadLength);
    return packet;
  }

  @Override
  public int maxPacketBytes(Dag destination) {
    return node.largestPacketTo(destination);
  }

  @Override
  public boolean isBound(Xid sid) {
    return node.isBound(sid);
  }

  @Override
  public void bind(Xid sid, PacketReceiver receiver) {
    if (!sid.is(XidType.SID)) {
      throw new XiaSocketException(
          XiaSocketException.Kind.BAD_ADDRESS, "not a service", Map.of("xid", sid));
    }
    if (!node.bind(sid, receiver)) {
      throw new XiaSocketException(
          XiaSocketException.Kind.ADDRESS_IN_USE, "service already bound", Map.of("sid", sid));
    }
  }

  @Override
  public void unbind(Xid sid) {
    node.unbind(sid);
  }

  @Override
  public void announce(Xid cid) {
    node.routes(XidType.CID).set(cid, RoutePort.LOCAL, null, 0);
  }

  @Override
  public void withdraw(Xid cid) {
    node.routes(XidType.CID).remove(cid);
  }

  @Override
  public void serveContent(ContentReceiver receiver) {
    node.serveContent(receiver);
  }
}
