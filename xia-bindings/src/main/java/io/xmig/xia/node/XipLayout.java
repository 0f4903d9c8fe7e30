package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;

/**
 * Where the fields of an XIP header are, for the forwarding path.
 *
 * @source XIA prototype v1.1, docs/wire.md section 2
 */
final class XipLayout {
  static final int VERSION = 1;
  static final int ETHERNET_HEADER = 14;
  static final int FIXED_LENGTH = 8;
  static final int NODE_LENGTH = Dag.NODE_LENGTH;

  static final int NEXT_HEADER_OFFSET = 1;
  static final int PAYLOAD_LENGTH_OFFSET = 2;
  static final int HOP_LIMIT_OFFSET = 4;
  static final int DESTINATION_NODES_OFFSET = 5;
  static final int SOURCE_NODES_OFFSET = 6;
  static final int LAST_OFFSET = 7;

  static final int NEXT_CONTENT = 12;
  static final int NEXT_NONE = 59;
  static final int NEXT_TRANSPORT = 60;
  static final int NEXT_XCMP = 61;

  /** Hop limit of the packets a node makes. */
  static final int HOP_LIMIT = 250;

  static final int EDGE_MASK = 0x7f;
  static final int VISITED = 0x80;

  /** Largest packet that is handed from one socket to another on the same node. */
  static final int MAX_PACKET = 65_535;

  private XipLayout() {}

  /**
   * Checks that counts, indices and lengths of the header stay inside of the packet.
   *
   * @return the header's length, or −1 for a malformed packet
   */
  static int check(ByteBuffer buffer, int xip, int end) {
    int available = end - xip;
    if (available < FIXED_LENGTH || buffer.get(xip) != VERSION) {
      return -1;
    }
    int destinations = buffer.get(xip + DESTINATION_NODES_OFFSET) & 0xff;
    int sources = buffer.get(xip + SOURCE_NODES_OFFSET) & 0xff;
    int last = buffer.get(xip + LAST_OFFSET);
    if (destinations == 0
        || destinations > Dag.MAX_NODES
        || sources == 0
        || sources > Dag.MAX_NODES
        || last < -1
        || last >= destinations) {
      return -1;
    }
    int length = FIXED_LENGTH + NODE_LENGTH * (destinations + sources);
    int payload = available - length;
    if (payload < 0) {
      return -1;
    }
    // The payload length field of content counts differently for requests and responses.
    boolean counts = buffer.get(xip + NEXT_HEADER_OFFSET) != NEXT_CONTENT;
    return counts && payloadLength(buffer, xip) > payload ? -1 : length;
  }

  static int payloadLength(ByteBuffer buffer, int xip) {
    return buffer.getShort(xip + PAYLOAD_LENGTH_OFFSET) & 0xffff;
  }

  static int nextHeader(ByteBuffer buffer, int xip) {
    return buffer.get(xip + NEXT_HEADER_OFFSET) & 0xff;
  }

  static int hopLimit(ByteBuffer buffer, int xip) {
    return buffer.get(xip + HOP_LIMIT_OFFSET) & 0xff;
  }

  static int destinationNodes(ByteBuffer buffer, int xip) {
    return buffer.get(xip + DESTINATION_NODES_OFFSET) & 0xff;
  }

  static int sourceNodes(ByteBuffer buffer, int xip) {
    return buffer.get(xip + SOURCE_NODES_OFFSET) & 0xff;
  }

  static int headerLength(ByteBuffer buffer, int xip) {
    return FIXED_LENGTH + NODE_LENGTH * (destinationNodes(buffer, xip) + sourceNodes(buffer, xip));
  }

  /** Offset of a destination node's XID. */
  static int destination(int xip, int index) {
    return xip + FIXED_LENGTH + NODE_LENGTH * index;
  }

  /** Offset of the first source node's XID. */
  static int sources(ByteBuffer buffer, int xip) {
    return destination(xip, destinationNodes(buffer, xip));
  }

  /** Offset of the source's final node. */
  static int sourceIntent(ByteBuffer buffer, int xip) {
    return sources(buffer, xip) + NODE_LENGTH * (sourceNodes(buffer, xip) - 1);
  }

  /**
   * Lays down a header.
   *
   * @return offset of the first byte behind it
   */
  static int write(
      ByteBuffer buffer, int xip, Dag destination, Dag source, int nextHeader, int hopLimit) {
    buffer.put(xip, (byte) VERSION);
    buffer.put(xip + NEXT_HEADER_OFFSET, (byte) nextHeader);
    buffer.putShort(xip + PAYLOAD_LENGTH_OFFSET, (short) 0);
    buffer.put(xip + HOP_LIMIT_OFFSET, (byte) hopLimit);
    buffer.put(xip + DESTINATION_NODES_OFFSET, (byte) destination.size());
    buffer.put(xip + SOURCE_NODES_OFFSET, (byte) source.size());
    buffer.put(xip + LAST_OFFSET, (byte) -1);
    byte[] to = destination.wireBytes();
    byte[] from = source.wireBytes();
    int nodes = xip + FIXED_LENGTH;
    buffer.put(nodes, to);
    buffer.put(nodes + to.length, from);
    return nodes + to.length + from.length;
  }

  /** Copies node entries and clears their visited marks. */
  static void copyNodes(ByteBuffer from, int fromOffset, ByteBuffer to, int toOffset, int count) {
    to.put(toOffset, from, fromOffset, count * NODE_LENGTH);
    for (int i = 0; i < count; i++) {
      int edges = toOffset + i * NODE_LENGTH + Xid.LENGTH;
      to.putInt(edges, to.getInt(edges) & 0x7f7f7f7f);
    }
  }
}
