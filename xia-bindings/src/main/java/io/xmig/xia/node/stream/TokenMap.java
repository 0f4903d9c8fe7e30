package io.xmig.xia.node.stream;

import org.jspecify.annotations.Nullable;

/** Connections by token: open addressing on primitive keys, so that a lookup allocates nothing. */
final class TokenMap<V> {
  private long[] keys = new long[64];
  private @Nullable Object[] values = new Object[64];
  private int size;

  int size() {
    return size;
  }

  @SuppressWarnings("unchecked")
  @Nullable V get(long key) {
    for (int i = slot(key); values[i] != null; i = (i + 1) & (keys.length - 1)) {
      if (keys[i] == key) {
        return (V) values[i];
      }
    }
    return null;
  }

  void put(long key, V value) {
    if (2 * (size + 1) > keys.length) {
      grow();
    }
    int i = slot(key);
    while (values[i] != null && keys[i] != key) {
      i = (i + 1) & (keys.length - 1);
    }
    if (values[i] == null) {
      size++;
    }
    keys[i] = key;
    values[i] = value;
  }

  void remove(long key) {
    int mask = keys.length - 1;
    int i = slot(key);
    while (values[i] != null && keys[i] != key) {
      i = (i + 1) & mask;
    }
    if (values[i] == null) {
      return;
    }
    size--;
    values[i] = null;
    // What comes after must stay reachable without a tombstone: move back what may be moved.
    for (int j = (i + 1) & mask; values[j] != null; j = (j + 1) & mask) {
      int home = slot(keys[j]);
      boolean reachable = i <= j ? i < home && home <= j : i < home || home <= j;
      if (!reachable) {
        keys[i] = keys[j];
        values[i] = values[j];
        values[j] = null;
        i = j;
      }
    }
  }

  private int slot(long key) {
    return (int) ((key * 0x9E3779B97F4A7C15L) >>> 40) & (keys.length - 1);
  }

  @SuppressWarnings("unchecked")
  private void grow() {
    long[] oldKeys = keys;
    @Nullable Object[] oldValues = values;
    keys = new long[2 * oldKeys.length];
    values = new Object[2 * oldKeys.length];
    size = 0;
    for (int i = 0; i < oldKeys.length; i++) {
      Object value = oldValues[i];
      if (value != null) {
        put(oldKeys[i], (V) value);
      }
    }
  }
}
