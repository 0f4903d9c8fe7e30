package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decoded addresses of recent packets: the same few peers send most packets, and their address
 * needs to be decoded only once. A slot holds one address; a collision decodes again.
 */
final class DagCache {
  private static final int SLOTS = 256;
  private static final int EDGES_WITHOUT_VISITED = 0x7f7f7f7f;

  private final @Nullable Dag[] slots = new Dag[SLOTS];

  /**
   * The address whose {@code count} node entries stand at {@code offset}; {@code null} if they are
   * not a DAG.
   */
  @Nullable Dag read(ByteBuffer buffer, int offset, int count) {
    int slot = hash(buffer, offset, count) & (SLOTS - 1);
    Dag cached = slots[slot];
    if (cached != null && cached.size() == count && same(cached.wireBytes(), buffer, offset)) {
      return cached;
    }
    Dag decoded = Dag.tryRead(buffer, offset, count);
    if (decoded != null) {
      slots[slot] = decoded;
    }
    return decoded;
  }

  private static int hash(ByteBuffer buffer, int offset, int count) {
    long h = count;
    for (int i = 0; i < count; i++) {
      int at = offset + i * Dag.NODE_LENGTH;
      h = h * 0x9E3779B97F4A7C15L + (buffer.getLong(at + 4) ^ buffer.getLong(at + 12));
      h = h * 31 + (buffer.getLong(at + 20) & (0xffffffff_00000000L | EDGES_WITHOUT_VISITED));
    }
    h *= 0x9E3779B97F4A7C15L;
    return (int) (h >>> 40);
  }

  private static boolean same(byte[] wire, ByteBuffer buffer, int offset) {
    for (int i = 0; i < wire.length; i++) {
      int b = buffer.get(offset + i);
      boolean isEdge = i % Dag.NODE_LENGTH >= Dag.NODE_LENGTH - Dag.MAX_EDGES;
      if (wire[i] != (byte) (isEdge ? b & Dag.UNUSED_EDGE : b)) {
        return false;
      }
    }
    return true;
  }
}
