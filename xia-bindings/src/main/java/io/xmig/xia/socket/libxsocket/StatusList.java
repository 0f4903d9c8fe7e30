package io.xmig.xia.socket.libxsocket;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The texts of requested chunks in native memory, written once each, and an array of {@code
 * ChunkStatus} that points to some of them: nothing is allocated per call.
 *
 * <pre>
 *   ChunkStatus[size]   cid ─┐                    text[size], 2,048 bytes each
 *                            └──────────────────▶ "RE ( AD:… HID:… ) CID:…" NUL
 * </pre>
 *
 * @threading one thread; must be reachable during a call that gets {@link #pointer}
 */
final class StatusList {
  /** Longest text of a DAG, terminated. */
  static final int TEXT_BYTES = 2048;

  private final int size;
  private final ByteBuffer entries;
  private final ByteBuffer texts;
  private final Pointer pointer;
  private final Pointer textPointer;
  private final Deque<Integer> free = new ArrayDeque<>();
  private final int[] lengths;
  private int count;

  /**
   * @param size texts at the same time, and entries of one call
   */
  StatusList(int size) {
    this.size = size;
    entries =
        ByteBuffer.allocateDirect(size * Structs.ChunkStatus.SIZE).order(ByteOrder.nativeOrder());
    texts = ByteBuffer.allocateDirect(size * TEXT_BYTES);
    pointer = Native.getDirectBufferPointer(entries);
    textPointer = Native.getDirectBufferPointer(texts);
    lengths = new int[size];
    for (int i = 0; i < size; i++) {
      free.add(i);
    }
  }

  /**
   * Keeps a text.
   *
   * @return its place, for {@link #add} and {@link #drop}
   * @throws IllegalArgumentException if it is too long
   * @throws IllegalStateException if there is no place left
   */
  int keep(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    if (bytes.length >= TEXT_BYTES) {
      throw new IllegalArgumentException("an address of " + bytes.length + " characters");
    }
    Integer place = free.poll();
    if (place == null) {
      throw new IllegalStateException("more than " + size + " chunks outstanding");
    }
    texts.put(place * TEXT_BYTES, bytes).put(place * TEXT_BYTES + bytes.length, (byte) 0);
    lengths[place] = bytes.length;
    return place;
  }

  /** Gives a place back. */
  void drop(int place) {
    free.add(place);
  }

  /** The text at a place, for C. */
  Pointer text(int place) {
    return textPointer.share((long) place * TEXT_BYTES);
  }

  /** Length of the text at a place. */
  int length(int place) {
    return lengths[place];
  }

  /** Starts a new array. */
  StatusList clear() {
    count = 0;
    return this;
  }

  /** Appends an entry. */
  void add(int place) {
    if (count == size) {
      throw new IllegalStateException("more than " + size + " entries");
    }
    int at = count++ * Structs.ChunkStatus.SIZE;
    long address = Pointer.nativeValue(textPointer) + (long) place * TEXT_BYTES;
    entries
        .putLong(at + Structs.ChunkStatus.CID, address)
        .putLong(at + Structs.ChunkStatus.CID_LEN, lengths[place] + 1L)
        .putInt(at + Structs.ChunkStatus.STATUS, 0);
  }

  /** Entries of the array. */
  int count() {
    return count;
  }

  /** The array, for C. */
  Pointer pointer() {
    return pointer;
  }

  /** What C wrote into an entry. */
  int status(int entry) {
    return entries.getInt(entry * Structs.ChunkStatus.SIZE + Structs.ChunkStatus.STATUS);
  }
}
