package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The one packet view of a node, aimed at each packet that arrives. */
final class ArrivedPacket implements PacketView {
  private final DagCache sources = new DagCache();
  private final DagCache destinations = new DagCache();
  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private int xip;
  private int payload;
  private int end;
  private int inPort;
  private @Nullable Xid deliveredTo;
  private @Nullable Dag source;
  private @Nullable Dag destination;

  /**
   * Aims the view at a checked packet.
   *
   * @return false if the source is not a DAG, which nothing that answers can use
   */
  boolean wrap(ByteBuffer buffer, int xip, int end, int inPort) {
    this.buffer = buffer;
    this.xip = xip;
    this.payload = xip + XipLayout.headerLength(buffer, xip);
    this.end =
        nextHeader() == XipLayout.NEXT_CONTENT
            ? end
            : Math.min(end, payload + XipLayout.payloadLength(buffer, xip));
    this.inPort = inPort;
    this.deliveredTo = null;
    this.destination = null;
    this.source =
        sources.read(buffer, XipLayout.sources(buffer, xip), XipLayout.sourceNodes(buffer, xip));
    return source != null;
  }

  /** Tells the view which XID the packet was delivered to, to save decoding it. */
  void deliveredTo(Xid xid) {
    deliveredTo = xid;
  }

  @Override
  public ByteBuffer buffer() {
    return buffer;
  }

  @Override
  public int xipOffset() {
    return xip;
  }

  @Override
  public int payloadOffset() {
    return payload;
  }

  @Override
  public int end() {
    return end;
  }

  @Override
  public int nextHeader() {
    return XipLayout.nextHeader(buffer, xip);
  }

  @Override
  public Xid deliveredTo() {
    if (deliveredTo == null) {
      int last = buffer.get(xip + XipLayout.LAST_OFFSET);
      int index = last < 0 ? XipLayout.destinationNodes(buffer, xip) - 1 : last;
      deliveredTo = Xid.read(buffer, XipLayout.destination(xip, index));
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
      int count = XipLayout.destinationNodes(buffer, xip);
      Dag read = destinations.read(buffer, XipLayout.destination(xip, 0), count);
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
