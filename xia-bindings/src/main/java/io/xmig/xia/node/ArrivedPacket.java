package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The one packet view of a node, aimed at each packet that arrives. */
final class ArrivedPacket implements PacketView {
  private final DagCache sources = new DagCache();
  private final DagCache destinations = new DagCache();
  private final XipFlyweight xip = new XipFlyweight();
  private int inPort;
  private @Nullable Xid deliveredTo;
  private @Nullable Dag source;
  private @Nullable Dag destination;

  /**
   * Aims the view at a packet.
   *
   * @return false if the packet is malformed or its source is not a DAG, which nothing that answers
   *     can use
   */
  boolean wrap(XipFlyweight packet, int inPort) {
    deliveredTo = null;
    destination = null;
    source = null;
    this.inPort = inPort;
    if (xip.tryWrap(packet.buffer(), packet.offset(), packet.end())) {
      source = sources.read(xip.buffer(), xip.sourceNodeOffset(0), xip.sourceCount());
    }
    return source != null;
  }

  /** The header, for what the interface does not offer. */
  XipFlyweight header() {
    return xip;
  }

  /** Tells the view which XID the packet was delivered to, to save decoding it. */
  void deliveredTo(Xid xid) {
    deliveredTo = xid;
  }

  @Override
  public ByteBuffer buffer() {
    return xip.buffer();
  }

  @Override
  public int xipOffset() {
    return xip.offset();
  }

  @Override
  public int payloadOffset() {
    return xip.payloadOffset();
  }

  @Override
  public int end() {
    return xip.payloadEnd();
  }

  @Override
  public int nextHeader() {
    return xip.nextHeader();
  }

  @Override
  public Xid deliveredTo() {
    if (deliveredTo == null) {
      deliveredTo = xip.destinationXid(xip.current());
    }
    return deliveredTo;
  }

  @Override
  public Xid sourceIntent() {
    return source().intent();
  }

  @Override
  public Dag source() {
    if (source == null) {
      throw new IllegalStateException("the view is not aimed at a packet");
    }
    return source;
  }

  @Override
  public Dag destination() {
    if (destination == null) {
      Dag read =
          destinations.read(xip.buffer(), xip.destinationNodeOffset(0), xip.destinationCount());
      // A packet may have been led here by the sane part of a graph that is none as a whole.
      destination = read != null ? read : Dag.path(deliveredTo());
    }
    return destination;
  }

  @Override
  public int inPort() {
    return inPort;
  }
}
