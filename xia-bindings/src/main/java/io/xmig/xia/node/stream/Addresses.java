package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads an address that a peer put into a payload. */
final class Addresses {
  private static final int VISITED = 0x80;

  private Addresses() {}

  /** The DAG of the node entries at {@code offset}, or {@code null} if they are none. */
  static @Nullable Dag read(ByteBuffer buffer, int offset, int length) {
    int count = length / Dag.NODE_LENGTH;
    if (count < 1 || count > Dag.MAX_NODES || length % Dag.NODE_LENGTH != 0) {
      return null;
    }
    List<Xid> nodes = new ArrayList<>(count);
    List<int[]> edges = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int at = offset + i * Dag.NODE_LENGTH;
      nodes.add(Xid.read(buffer, at));
      int[] out = new int[Dag.MAX_EDGES];
      for (int k = 0; k < Dag.MAX_EDGES; k++) {
        out[k] = Byte.toUnsignedInt(buffer.get(at + Xid.LENGTH + k));
        if ((out[k] & VISITED) != 0 || (out[k] != Dag.UNUSED_EDGE && out[k] >= count)) {
          return null;
        }
      }
      edges.add(out);
    }
    return Dag.of(nodes, edges);
  }
}
