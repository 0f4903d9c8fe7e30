package io.xmig.xia.socket.ipc;

import java.nio.ByteBuffer;

/** A queue of bytes with a limit; its memory grows up to that and is used in a circle. */
final class ByteRing {
  private static final int INITIAL_BYTES = 4096;

  private final int limit;
  private ByteBuffer memory = ByteBuffer.allocate(0);
  private int head;
  private int size;

  ByteRing(int limit) {
    this.limit = limit;
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  int room() {
    return limit - size;
  }

  void clear() {
    size = 0;
  }

  /** Appends the remaining bytes, which must fit. */
  void put(ByteBuffer source) {
    int length = source.remaining();
    if (length > room()) {
      throw new IllegalStateException(length + " bytes for " + room());
    }
    reserve(size + length);
    while (source.hasRemaining()) {
      int tail = (head + size) % memory.capacity();
      int part = Math.min(source.remaining(), memory.capacity() - tail);
      memory.put(tail, source, source.position(), part);
      source.position(source.position() + part);
      size += part;
    }
  }

  /** The oldest bytes as far as they lie in one piece; {@link #skip} takes them away. */
  ByteBuffer readable() {
    int part = Math.min(size, memory.capacity() - head);
    return memory.duplicate().limit(head + part).position(head);
  }

  /** Takes the oldest bytes away. */
  void skip(int bytes) {
    size -= bytes;
    head = size == 0 ? 0 : (head + bytes) % memory.capacity();
  }

  /** Moves bytes into {@code target}; how many. */
  int get(ByteBuffer target) {
    int moved = 0;
    while (target.hasRemaining() && size > 0) {
      ByteBuffer part = readable();
      if (part.remaining() > target.remaining()) {
        part.limit(part.position() + target.remaining());
      }
      int length = part.remaining();
      target.put(part);
      skip(length);
      moved += length;
    }
    return moved;
  }

  private void reserve(int bytes) {
    if (bytes <= memory.capacity()) {
      return;
    }
    int capacity = Math.max(INITIAL_BYTES, memory.capacity());
    while (capacity < bytes) {
      capacity *= 2;
    }
    ByteBuffer larger = ByteBuffer.allocate(Math.min(capacity, Math.max(limit, bytes)));
    int count = size;
    get(larger.duplicate());
    memory = larger;
    head = 0;
    size = count;
  }
}
