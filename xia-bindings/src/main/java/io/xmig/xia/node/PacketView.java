package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;

/**
 * A packet that has arrived: its XIP header and where its extension header starts. Valid during the
 * call that hands it over.
 */
public interface PacketView {
  /** The whole frame's buffer; absolute access, big-endian. */
  ByteBuffer buffer();

  /** Offset of the first byte of the XIP header. */
  int xipOffset();

  /** Offset of the first byte after the XIP header: the extension header or payload. */
  int payloadOffset();

  /** End of the frame (exclusive). */
  int end();

  /** The next-header field. */
  int nextHeader();

  /** The node of the destination DAG at which the packet was delivered, e.g. the SID. */
  Xid deliveredTo();

  /** The sink of the source DAG. */
  Xid sourceIntent();

  /** The source address, decoded on demand (cached for repeated senders). */
  Dag source();

  /** The destination address, decoded on demand. */
  Dag destination();

  /** Port of the node by which the packet came, −1 if it was sent on this node. */
  int inPort();
}
