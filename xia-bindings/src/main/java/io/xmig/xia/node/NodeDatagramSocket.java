package io.xmig.xia.node;

import static io.xmig.xia.wire.TransportFlyweight.DATA;
import static io.xmig.xia.wire.TransportFlyweight.NO_NUMBER;
import static io.xmig.xia.wire.TransportFlyweight.TYPE_DATAGRAM;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramHandler;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A bound datagram socket of a node.
 *
 * @source XIA prototype v1.1, docs/wire.md section 5
 */
final class NodeDatagramSocket implements DatagramSocket {
  private final TransportContext node;
  private final Xid sid;
  private final DatagramHandler handler;
  private final Runnable onClose;
  private final TransportFlyweight header = new TransportFlyweight();
  private final Runnable stopFollowing;
  private final @Nullable Dag onlyAs;
  private Dag local;
  private boolean open = true;

  /**
   * Binds the socket.
   *
   * @param onClose called once when it is closed
   * @throws XiaSocketException if the SID is taken
   */
  NodeDatagramSocket(TransportContext node, Xid sid, DatagramHandler handler, Runnable onClose) {
    this.node = node;
    this.sid = sid;
    this.handler = handler;
    this.onClose = onClose;
    this.onlyAs = sid.equals(Xid.SID_XHCP) ? Dag.path(Xid.BHID, sid) : null;
    node.bind(sid, this::receive);
    this.local = node.localAddress().service(sid);
    this.stopFollowing = node.onAddressChange(this::follow);
  }

  private void follow(LocalAddress address) {
    local = address.service(sid);
  }

  private void receive(PacketView packet) {
    ByteBuffer in = packet.buffer();
    if (packet.nextHeader() != XipFlyweight.NEXT_TRANSPORT
        || !header.tryWrap(in, packet.payloadOffset(), packet.end())
        || header.type() != TYPE_DATAGRAM) {
      return;
    }
    if (onlyAs != null && !packet.destination().equals(onlyAs)) {
      return; // a beacon tells of the link it is heard on; no router sends on what begins with BHID
    }
    int data = header.dataOffset();
    handler.onDatagram(packet.source(), in.slice(data, packet.end() - data), packet.inPort());
  }

  @Override
  public Dag localDag() {
    return local;
  }

  @Override
  public void send(Dag destination, ByteBuffer payload) {
    node.send(begin(destination, payload));
  }

  @Override
  public int links() {
    return node.links();
  }

  @Override
  public void sendOn(int link, Dag destination, ByteBuffer payload) {
    node.sendOn(link, begin(destination, payload));
  }

  /** Lays the packet down; gives what its payload length field says. */
  private int begin(Dag destination, ByteBuffer payload) {
    if (!open) {
      throw new XiaSocketException(XiaSocketException.Kind.CLOSED, "datagram socket is closed");
    }
    int headers = XipFlyweight.lengthOf(destination, local) + TransportFlyweight.PLAIN_LENGTH;
    int largest = node.maxPacketBytes(destination);
    if (headers + payload.remaining() > largest) {
      throw new XiaSocketException(
          XiaSocketException.Kind.MESSAGE_TOO_LONG,
          "datagram too long for the link; send less at once",
          Map.of("bytes", payload.remaining(), "limit", largest - headers));
    }
    ByteBuffer out =
        node.begin(destination, local, XipFlyweight.NEXT_TRANSPORT, XipFlyweight.DEFAULT_HOP_LIMIT);
    int start = out.position();
    int length = TransportFlyweight.write(out, start, TYPE_DATAGRAM, DATA, NO_NUMBER, NO_NUMBER);
    int bytes = payload.remaining();
    out.put(start + length, payload, payload.position(), bytes);
    out.position(start + length + bytes);
    payload.position(payload.limit());
    return length + bytes;
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      stopFollowing.run();
      node.unbind(sid);
      onClose.run();
    }
  }
}
