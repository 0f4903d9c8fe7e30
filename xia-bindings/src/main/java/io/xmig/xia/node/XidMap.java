package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Values by XID, looked up with the XID's words as they stand in a packet: a lookup allocates
 * nothing.
 *
 * <p>Open addressing, at most half full. Removal closes the gap instead of leaving a marker, so a
 * long-lived map does not slow down.
 *
 * @threading on the node's loop
 */
final class XidMap<V> {
  private static final int WORDS = 3; // type and low word, high, middle
  private static final int INITIAL_SLOTS = 16;

  private long[] keys = new long[INITIAL_SLOTS * WORDS];
  private @Nullable Object[] values = new Object[INITIAL_SLOTS];
  private Xid[] xids = new Xid[INITIAL_SLOTS];
  private int size;

  int size() {
    return size;
  }

  /** The value of the XID at {@code offset} of a big-endian buffer. */
  @Nullable V get(ByteBuffer buffer, int offset) {
    return get(
        buffer.getInt(offset),
        buffer.getLong(offset + 4),
        buffer.getLong(offset + 12),
        buffer.getInt(offset + 20));
  }

  @Nullable V get(Xid xid) {
    return get(xid.typeCode(), xid.high(), xid.middle(), xid.low());
  }

  @SuppressWarnings("unchecked") // only put writes values
  private @Nullable V get(int typeCode, long high, long middle, int low) {
    return (V) values[slot(typeCode, high, middle, low)];
  }

  /** The slot that holds the XID, or the empty one where it would go. */
  private int slot(int typeCode, long high, long middle, int low) {
    long first = (long) typeCode << 32 | (low & 0xffffffffL);
    int mask = values.length - 1;
    int slot = Xid.hash(typeCode, high, middle, low) & mask;
    while (values[slot] != null) {
      int k = slot * WORDS;
      if (keys[k + 1] == high && keys[k + 2] == middle && keys[k] == first) {
        break;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private int slot(Xid xid) {
    return slot(xid.typeCode(), xid.high(), xid.middle(), xid.low());
  }

  /** Sets the value of an XID. */
  void put(Xid xid, V value) {
    if (2 * (size + 1) > values.length) {
      grow();
    }
    int slot = slot(xid);
    if (values[slot] == null) {
      int k = slot * WORDS;
      keys[k] = (long) xid.typeCode() << 32 | (xid.low() & 0xffffffffL);
      keys[k + 1] = xid.high();
      keys[k + 2] = xid.middle();
      xids[slot] = xid;
      size++;
    }
    values[slot] = value;
  }

  private void grow() {
    @Nullable Object[] oldValues = values;
    Xid[] oldXids = xids;
    values = new Object[oldValues.length * 2];
    xids = new Xid[values.length];
    keys = new long[values.length * WORDS];
    size = 0;
    for (int i = 0; i < oldValues.length; i++) {
      if (oldValues[i] != null) {
        @SuppressWarnings("unchecked") // only put writes values
        V value = (V) oldValues[i];
        put(oldXids[i], value);
      }
    }
  }

  /** Removes an XID; false if it was not there. */
  boolean remove(Xid xid) {
    int gap = slot(xid);
    if (values[gap] == null) {
      return false;
    }
    int mask = values.length - 1;
    for (int slot = (gap + 1) & mask; values[slot] != null; slot = (slot + 1) & mask) {
      int home = xids[slot].hashCode() & mask;
      boolean stays = ((slot - home) & mask) < ((slot - gap) & mask);
      if (!stays) {
        values[gap] = values[slot];
        xids[gap] = xids[slot];
        System.arraycopy(keys, slot * WORDS, keys, gap * WORDS, WORDS);
        gap = slot;
      }
    }
    values[gap] = null;
    size--;
    return true;
  }

  void clear() {
    Arrays.fill(values, null);
    size = 0;
  }

  /** Calls {@code consumer} for every pair as it was at the beginning; the order is arbitrary. */
  @SuppressWarnings("unchecked") // only put writes values
  void forEach(BiConsumer<Xid, V> consumer) {
    @Nullable Object[] then = values.clone();
    Xid[] thenXids = xids.clone();
    for (int i = 0; i < then.length; i++) {
      if (then[i] != null) {
        consumer.accept(thenXids[i], (V) then[i]);
      }
    }
  }
}
