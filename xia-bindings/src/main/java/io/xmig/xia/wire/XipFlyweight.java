package io.xmig.xia.wire;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A view over an XIP header.
 *
 * <pre>
 *  0     1     2             4      5       6       7      8
 *  | ver | nxt | plen (BE16) | hlim | dnode | snode | last | nodes, 28 bytes each …
 *
 *  node: | XID (24) | four edge bytes, best first |     edge byte: bit 7 visited, bits 0-6 target
 * </pre>
 *
 * <p>Destination nodes first, then source nodes; each DAG's virtual source keeps its edges in the
 * DAG's last node. {@code last} is the destination node reached so far, −1 at the start.
 *
 * <p>{@link #tryWrap} checks everything that later accesses rely on except edge targets, which
 * {@link #edge} reports as they are: compare with {@link #destinationCount()}. A hostile graph may
 * have cycles; a router takes at most {@code destinationCount()} local steps for a packet.
 *
 * @threading one thread; the view holds no state but the place it looks at
 * @source XIA prototype v1.1, docs/wire.md section 2
 */
public final class XipFlyweight {
  /** Bytes before the nodes. */
  public static final int FIXED_LENGTH = 8;

  /** Header version written and accepted. */
  public static final int VERSION = 1;

  /** Next header: content. */
  public static final int NEXT_CONTENT = 12;

  /** Next header: none. */
  public static final int NEXT_NONE = 59;

  /** Next header: transport. */
  public static final int NEXT_TRANSPORT = 60;

  /** Next header: XCMP. */
  public static final int NEXT_XCMP = 61;

  /** Hop limit of a new packet. */
  public static final int DEFAULT_HOP_LIMIT = 250;

  /** Nodes a DAG in a header may have, as in the prototype's API; more is malformed. */
  public static final int MAX_NODES = Dag.MAX_NODES;

  /** Longest header that is accepted. */
  public static final int MAX_LENGTH = FIXED_LENGTH + 2 * MAX_NODES * Dag.NODE_LENGTH;

  private static final int NEXT_HEADER_OFFSET = 1;
  private static final int PAYLOAD_LENGTH_OFFSET = 2;
  private static final int HOP_LIMIT_OFFSET = 4;
  private static final int DESTINATION_COUNT_OFFSET = 5;
  private static final int SOURCE_COUNT_OFFSET = 6;
  private static final int LAST_OFFSET = 7;
  private static final int VISITED = 0x80;

  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private int base;
  private int end;

  /** Length of a header with these addresses. */
  public static int lengthOf(Dag destination, Dag source) {
    return FIXED_LENGTH + (destination.size() + source.size()) * Dag.NODE_LENGTH;
  }

  /**
   * Writes a header at {@code offset} with {@code last} = −1 and returns its length; position and
   * limit stay.
   */
  public static int write(
      ByteBuffer buffer,
      int offset,
      int nextHeader,
      int payloadLength,
      int hopLimit,
      Dag destination,
      Dag source) {
    buffer.put(offset, (byte) VERSION);
    buffer.put(offset + NEXT_HEADER_OFFSET, (byte) nextHeader);
    buffer.putShort(offset + PAYLOAD_LENGTH_OFFSET, (short) payloadLength);
    buffer.put(offset + HOP_LIMIT_OFFSET, (byte) hopLimit);
    buffer.put(offset + DESTINATION_COUNT_OFFSET, (byte) destination.size());
    buffer.put(offset + SOURCE_COUNT_OFFSET, (byte) source.size());
    buffer.put(offset + LAST_OFFSET, (byte) -1);
    int at = offset + FIXED_LENGTH;
    buffer.put(at, destination.wireBytes());
    at += destination.wireBytes().length;
    buffer.put(at, source.wireBytes());
    return at + source.wireBytes().length - offset;
  }

  /**
   * Aims this view at a header; position and limit stay. On failure the view keeps its old aim.
   *
   * @param buffer big-endian
   * @param offset where the header starts
   * @param end end of the packet, exclusive
   * @return whether there is a whole, sound header and the payload it announces
   */
  public boolean tryWrap(ByteBuffer buffer, int offset, int end) {
    if (defect(buffer, offset, end) != null) {
      return false;
    }
    this.buffer = buffer;
    this.base = offset;
    this.end = end;
    return true;
  }

  /**
   * Like {@link #tryWrap}.
   *
   * @throws MalformedPacketException saying what is wrong
   */
  public XipFlyweight wrap(ByteBuffer buffer, int offset, int end) {
    String defect = defect(buffer, offset, end);
    if (defect != null) {
      throw new MalformedPacketException("xip-header " + defect, offset, end - offset);
    }
    this.buffer = buffer;
    this.base = offset;
    this.end = end;
    return this;
  }

  /**
   * Aims this view at a header whose payload is not all there, such as the copy in an XCMP message;
   * otherwise like {@link #tryWrap}.
   */
  public boolean tryWrapQuoted(ByteBuffer buffer, int offset, int end) {
    if (headerDefect(buffer, offset, end) != null) {
      return false;
    }
    this.buffer = buffer;
    this.base = offset;
    this.end = end;
    return true;
  }

  private static @Nullable String defect(ByteBuffer buffer, int offset, int end) {
    String defect = headerDefect(buffer, offset, end);
    if (defect != null) {
      return defect;
    }
    int payload = Short.toUnsignedInt(buffer.getShort(offset + PAYLOAD_LENGTH_OFFSET));
    return payload > end - offset - headerLength(buffer, offset) ? "with payload cut off" : null;
  }

  private static @Nullable String headerDefect(ByteBuffer buffer, int offset, int end) {
    if (buffer.order() != ByteOrder.BIG_ENDIAN) {
      throw new IllegalArgumentException("a packet buffer is big-endian");
    }
    if (offset < 0 || end > buffer.limit() || end - offset < FIXED_LENGTH) {
      return "truncated";
    }
    if (buffer.get(offset) != VERSION) {
      return "of an unknown version";
    }
    int destinations = Byte.toUnsignedInt(buffer.get(offset + DESTINATION_COUNT_OFFSET));
    int sources = Byte.toUnsignedInt(buffer.get(offset + SOURCE_COUNT_OFFSET));
    if (destinations == 0 || destinations > MAX_NODES) {
      return "with no or too many destination nodes";
    }
    if (sources == 0 || sources > MAX_NODES) {
      return "with no or too many source nodes";
    }
    int last = buffer.get(offset + LAST_OFFSET);
    if (last < -1 || last >= destinations) {
      return "whose last visited node does not exist";
    }
    return headerLength(buffer, offset) > end - offset ? "truncated in its nodes" : null;
  }

  private static int headerLength(ByteBuffer buffer, int offset) {
    int nodes =
        Byte.toUnsignedInt(buffer.get(offset + DESTINATION_COUNT_OFFSET))
            + Byte.toUnsignedInt(buffer.get(offset + SOURCE_COUNT_OFFSET));
    return FIXED_LENGTH + nodes * Dag.NODE_LENGTH;
  }

  /** The buffer looked at. */
  public ByteBuffer buffer() {
    return buffer;
  }

  /** Offset of the header in the buffer. */
  public int offset() {
    return base;
  }

  /** End of the packet in the buffer, exclusive. */
  public int end() {
    return end;
  }

  /** Length of the header. */
  public int headerLength() {
    return headerLength(buffer, base);
  }

  /** Offset of the first byte after the header. */
  public int payloadOffset() {
    return base + headerLength();
  }

  /**
   * End of the payload in the buffer, exclusive. Content packets do not count their extension
   * header consistently, so for them it is the end of the packet.
   */
  public int payloadEnd() {
    return nextHeader() == NEXT_CONTENT ? end : payloadOffset() + payloadLength();
  }

  /** What follows the header. */
  public int nextHeader() {
    return Byte.toUnsignedInt(buffer.get(base + NEXT_HEADER_OFFSET));
  }

  /** The payload length field; what it counts depends on the packet (docs/wire.md section 2). */
  public int payloadLength() {
    return Short.toUnsignedInt(buffer.getShort(base + PAYLOAD_LENGTH_OFFSET));
  }

  /** Sets the payload length field. */
  public XipFlyweight payloadLength(int bytes) {
    buffer.putShort(base + PAYLOAD_LENGTH_OFFSET, (short) bytes);
    return this;
  }

  /** Hops left. */
  public int hopLimit() {
    return Byte.toUnsignedInt(buffer.get(base + HOP_LIMIT_OFFSET));
  }

  /** Sets the hops left. */
  public XipFlyweight hopLimit(int hops) {
    buffer.put(base + HOP_LIMIT_OFFSET, (byte) hops);
    return this;
  }

  /** Number of destination nodes, 1 to {@link #MAX_NODES}. */
  public int destinationCount() {
    return Byte.toUnsignedInt(buffer.get(base + DESTINATION_COUNT_OFFSET));
  }

  /** Number of source nodes, 1 to {@link #MAX_NODES}. */
  public int sourceCount() {
    return Byte.toUnsignedInt(buffer.get(base + SOURCE_COUNT_OFFSET));
  }

  /** Index of the destination node reached last, −1 at the source. */
  public int last() {
    return buffer.get(base + LAST_OFFSET);
  }

  /** Sets the destination node reached last. */
  public XipFlyweight last(int node) {
    buffer.put(base + LAST_OFFSET, (byte) node);
    return this;
  }

  /** Index of the destination node whose edges count now: the sink, for the source, at first. */
  public int current() {
    int last = last();
    return last < 0 ? last + destinationCount() : last;
  }

  /** Whether the packet has reached its final intent. */
  public boolean hasArrived() {
    return last() == destinationCount() - 1;
  }

  /** Offset in the buffer of a destination node, to be used with {@link Xid#matches}. */
  public int destinationNodeOffset(int node) {
    return base + FIXED_LENGTH + node * Dag.NODE_LENGTH;
  }

  /** Offset in the buffer of a source node. */
  public int sourceNodeOffset(int node) {
    return destinationNodeOffset(destinationCount() + node);
  }

  /** The type code of a destination node's XID. */
  public int destinationType(int node) {
    return buffer.getInt(destinationNodeOffset(node));
  }

  /** The type code of a source node's XID. */
  public int sourceType(int node) {
    return buffer.getInt(sourceNodeOffset(node));
  }

  /** The XID of a destination node; a new object. */
  public Xid destinationXid(int node) {
    return Xid.read(buffer, destinationNodeOffset(node));
  }

  /** The XID of a source node; a new object. */
  public Xid sourceXid(int node) {
    return Xid.read(buffer, sourceNodeOffset(node));
  }

  /** Offset in the buffer of the final intent of the destination. */
  public int destinationIntentOffset() {
    return destinationNodeOffset(destinationCount() - 1);
  }

  /** Offset in the buffer of the final intent of the source. */
  public int sourceIntentOffset() {
    return sourceNodeOffset(sourceCount() - 1);
  }

  /**
   * Target of an edge of a destination node: {@link Dag#UNUSED_EDGE}, or an index that a hostile
   * packet may have set beyond {@link #destinationCount()}.
   *
   * @param priority 0 (first choice) to 3
   */
  public int edge(int node, int priority) {
    return buffer.get(edgeOffset(node, priority)) & ~VISITED & 0xff;
  }

  /** Whether an edge of a destination node carries the visited mark. */
  public boolean isVisited(int node, int priority) {
    return (buffer.get(edgeOffset(node, priority)) & VISITED) != 0;
  }

  /** Sets the visited mark of an edge of a destination node. */
  public XipFlyweight markVisited(int node, int priority) {
    int at = edgeOffset(node, priority);
    buffer.put(at, (byte) (buffer.get(at) | VISITED));
    return this;
  }

  private int edgeOffset(int node, int priority) {
    return destinationNodeOffset(node) + Xid.LENGTH + priority;
  }

  /** The destination address, a new object; {@code null} if the nodes are not a DAG. */
  public @Nullable Dag destination() {
    return Dag.tryRead(buffer, destinationNodeOffset(0), destinationCount());
  }

  /** The source address, a new object; {@code null} if the nodes are not a DAG. */
  public @Nullable Dag source() {
    return Dag.tryRead(buffer, sourceNodeOffset(0), sourceCount());
  }
}
