package io.xmig.xia.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A view over a content header (next header 12).
 *
 * <p>The prototype's request has 16 bytes (OPCODE 1, CHUNK_OFFSET 0, LENGTH 0) and asks for the
 * whole chunk; it is followed by {@link #REQUEST_PAYLOAD}. Its response has 52 bytes, all nine
 * entries, followed by LENGTH bytes of the chunk from CHUNK_OFFSET on.
 *
 * @source XIA prototype v1.1, docs/wire.md section 6
 */
public final class ContentFlyweight extends TlvFlyweight {
  /** Length of a request's header without extensions. */
  public static final int REQUEST_LENGTH = 16;

  /** Length of a response's header without extensions. */
  public static final int RESPONSE_LENGTH = 52;

  /** {@link #opcode()}: asks for a chunk. */
  public static final int REQUEST = 1;

  /** {@link #opcode()}: carries a part of a chunk. */
  public static final int RESPONSE = 2;

  /** Time to live in a response, seconds; nobody reads it. */
  public static final int TTL_S = 86_400;

  /** Cache size in a response; nobody reads it. */
  public static final int CACHE_SIZE = 1024;

  private static final byte[] REQUEST_PAYLOAD =
      "Chunk request\0".getBytes(StandardCharsets.US_ASCII);

  private static final int KEY_OPCODE = 0;
  private static final int KEY_OFFSET = 1;
  private static final int KEY_CHUNK_OFFSET = 2;
  private static final int KEY_LENGTH = 3;
  private static final int KEY_CHUNK_LENGTH = 4;
  private static final int KEY_CONTEXT_ID = 5;
  private static final int KEY_TTL = 6;
  private static final int KEY_CACHE_SIZE = 7;
  private static final int KEY_CACHE_POLICY = 8;

  private static final int REQUEST_ENTRIES_END = 15;
  private static final int RESPONSE_ENTRIES_END = 49;

  private int opcode;
  private int chunkOffset;
  private int lengthField;
  private int chunkLength;
  private int contextId;
  private int ttl;
  private int cacheSize;
  private int cachePolicy;

  @Override
  String name() {
    return "content";
  }

  @Override
  void clear() {
    opcode = 0;
    chunkOffset = 0;
    lengthField = 0;
    chunkLength = 0;
    contextId = 0;
    ttl = 0;
    cacheSize = 0;
    cachePolicy = 0;
  }

  @Override
  int sizeOf(int key) {
    return switch (key) {
      case KEY_OPCODE -> 1;
      case KEY_OFFSET, KEY_LENGTH -> 2;
      case KEY_CHUNK_OFFSET,
          KEY_CHUNK_LENGTH,
          KEY_CONTEXT_ID,
          KEY_TTL,
          KEY_CACHE_SIZE,
          KEY_CACHE_POLICY ->
          4;
      default -> 0;
    };
  }

  @Override
  void take(int key, int value) {
    switch (key) {
      case KEY_OPCODE -> opcode = value;
      case KEY_CHUNK_OFFSET -> chunkOffset = value;
      case KEY_LENGTH -> lengthField = value;
      case KEY_CHUNK_LENGTH -> chunkLength = value;
      case KEY_CONTEXT_ID -> contextId = value;
      case KEY_TTL -> ttl = value;
      case KEY_CACHE_SIZE -> cacheSize = value;
      case KEY_CACHE_POLICY -> cachePolicy = value;
      default -> {} // OFFSET, always 0
    }
  }

  /**
   * Like {@link #tryWrap}.
   *
   * @throws MalformedPacketException saying what is wrong
   */
  public ContentFlyweight wrap(ByteBuffer buffer, int offset, int end) {
    wrapOrThrow(buffer, offset, end);
    return this;
  }

  /** {@link #REQUEST}, {@link #RESPONSE}, or something to ignore. */
  public int opcode() {
    return opcode;
  }

  /** Position in the chunk of the first byte carried or asked for; unsigned. */
  public int chunkOffset() {
    return chunkOffset;
  }

  /** Bytes of the chunk carried, or asked for (0: all of it). */
  public int length() {
    return lengthField;
  }

  /** Size of the whole chunk, unsigned. */
  public int chunkLength() {
    return chunkLength;
  }

  /** Cache slice; 0 on the network. */
  public int contextId() {
    return contextId;
  }

  /** Time to live, seconds. */
  public int ttl() {
    return ttl;
  }

  /** Cache size. */
  public int cacheSize() {
    return cacheSize;
  }

  /** Cache policy. */
  public int cachePolicy() {
    return cachePolicy;
  }

  /** Bytes that follow a request's header: {@code Chunk request} and a zero. */
  public static int requestPayloadLength() {
    return REQUEST_PAYLOAD.length;
  }

  /** Writes the bytes that follow a request's header and returns their number. */
  public static int writeRequestPayload(ByteBuffer buffer, int offset) {
    buffer.put(offset, REQUEST_PAYLOAD);
    return REQUEST_PAYLOAD.length;
  }

  /** Writes the prototype's request header for a whole chunk and returns its length. */
  public static int writeRequest(ByteBuffer buffer, int offset) {
    putRequest(buffer, offset, 0, 0);
    return REQUEST_LENGTH;
  }

  /**
   * Begins a request with extensions; {@link #finish} closes it. A v1.1 cache ignores position,
   * length and extensions and answers with the whole chunk.
   */
  public ContentFlyweight beginRequest(ByteBuffer buffer, int offset, int chunkOffset, int length) {
    putRequest(buffer, offset, chunkOffset, length);
    beginAt(buffer, offset, offset + REQUEST_ENTRIES_END);
    return this;
  }

  private static void putRequest(ByteBuffer buffer, int at, int chunkOffset, int length) {
    buffer.put(at, (byte) XipFlyweight.NEXT_NONE).put(at + 1, (byte) REQUEST_LENGTH);
    buffer.put(at + 2, (byte) 2).put(at + 3, (byte) KEY_OPCODE).put(at + 4, (byte) REQUEST);
    putInt(buffer, at + 5, KEY_CHUNK_OFFSET, chunkOffset);
    putShort(buffer, at + 11, KEY_LENGTH, length);
    buffer.put(at + REQUEST_ENTRIES_END, (byte) 0);
  }

  /**
   * Writes the prototype's response header.
   *
   * @param length bytes of the chunk that follow
   * @return its length, {@value #RESPONSE_LENGTH}
   */
  public static int writeResponse(
      ByteBuffer buffer, int offset, int chunkOffset, int length, int chunkLength) {
    putResponse(buffer, offset, chunkOffset, length, chunkLength);
    return RESPONSE_LENGTH;
  }

  /** Begins a response with extensions; {@link #finish} closes it. */
  public ContentFlyweight beginResponse(
      ByteBuffer buffer, int offset, int chunkOffset, int length, int chunkLength) {
    putResponse(buffer, offset, chunkOffset, length, chunkLength);
    beginAt(buffer, offset, offset + RESPONSE_ENTRIES_END);
    return this;
  }

  private static void putResponse(
      ByteBuffer buffer, int at, int chunkOffset, int length, int chunkLength) {
    buffer.put(at, (byte) XipFlyweight.NEXT_NONE).put(at + 1, (byte) RESPONSE_LENGTH);
    buffer.put(at + 2, (byte) 2).put(at + 3, (byte) KEY_OPCODE).put(at + 4, (byte) RESPONSE);
    putShort(buffer, at + 5, KEY_OFFSET, 0);
    putInt(buffer, at + 9, KEY_CHUNK_OFFSET, chunkOffset);
    putShort(buffer, at + 15, KEY_LENGTH, length);
    putInt(buffer, at + 19, KEY_CHUNK_LENGTH, chunkLength);
    putInt(buffer, at + 25, KEY_CONTEXT_ID, 0);
    putInt(buffer, at + 31, KEY_TTL, TTL_S);
    putInt(buffer, at + 37, KEY_CACHE_SIZE, CACHE_SIZE);
    putInt(buffer, at + 43, KEY_CACHE_POLICY, 0);
    buffer.put(at + 49, (byte) 0).putShort(at + 50, (short) 0);
  }

  private static void putInt(ByteBuffer buffer, int at, int key, int value) {
    buffer.put(at, (byte) 5).put(at + 1, (byte) key);
    buffer.putInt(at + 2, Integer.reverseBytes(value));
  }

  private static void putShort(ByteBuffer buffer, int at, int key, int value) {
    buffer.put(at, (byte) 3).put(at + 1, (byte) key);
    buffer.putShort(at + 2, Short.reverseBytes((short) value));
  }
}
