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
  private final @Nullable ByteBuffer[] wires = new ByteBuffer[SLOTS];

  /**
   * The address whose {@code count} node entries stand at {@code offset}; {@code null} if they are
   * not a DAG.
   */
  @Nullable Dag read(ByteBuffer buffer, int offset, int count) {
    int slot = hash(buffer, offset, count) & (SLOTS - 1);
    Dag cached = slots[slot];
    ByteBuffer wire = wires[slot];
    if (cached != null && wire != null && cached.size() == count && same(wire, buffer, offset)) {
      return cached;
    }
    Dag decoded = Dag.tryRead(buffer, offset, count);
    if (decoded != null) {
      slots[slot] = decoded;
      wires[slot] = ByteBuffer.wrap(decoded.wireBytes());
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

  /** Compares words, not bytes: two addresses of every packet are looked up. */
  private static boolean same(ByteBuffer wire, ByteBuffer buffer, int offset) {
    for (int i = 0; i < wire.capacity(); i += Dag.NODE_LENGTH) {
      int at = offset + i;
      if (wire.getLong(i) != buffer.getLong(at)
          || wire.getLong(i + 8) != buffer.getLong(at + 8)
          || wire.getLong(i + 16) != buffer.getLong(at + 16)
          || wire.getInt(i + 24) != (buffer.getInt(at + 24) & EDGES_WITHOUT_VISITED)) {
        return false;
      }
    }
    return true;
  }
}
