package io.xmig.xia.wire;

import java.nio.ByteBuffer;

/**
 * A view over a transport header (next header 60).
 *
 * <p>Every header of the prototype is 24 bytes:
 *
 * <pre>
 *  3b 18 | 02 00 TYPE | 02 01 PKT_INFO | 05 04 SEQ_NUM (LE32) | 05 05 ACK_NUM (LE32) | 03 06 00 00
 * </pre>
 *
 * @source XIA prototype v1.1, docs/wire.md section 5
 */
public final class TransportFlyweight extends TlvFlyweight {
  /** Length of a header without extensions. */
  public static final int PLAIN_LENGTH = 24;

  /** {@link #type()}: stream. */
  public static final int TYPE_STREAM = 1;

  /** {@link #type()}: datagram. */
  public static final int TYPE_DATAGRAM = 2;

  /** {@link #packetInfo()}: asks for a connection. */
  public static final int SYN = 1;

  /** {@link #packetInfo()}: grants one. */
  public static final int SYNACK = 2;

  /** {@link #packetInfo()}: carries data. */
  public static final int DATA = 3;

  /** {@link #packetInfo()}: acknowledges. */
  public static final int ACK = 4;

  /** {@link #packetInfo()}: closes; ignored by the prototype. */
  public static final int FIN = 5;

  /** Sequence and acknowledgement number of a datagram, acknowledgement number of a SYN. */
  public static final int NO_NUMBER = 0xffff_ffff;

  private static final int KEY_TYPE = 0;
  private static final int KEY_PACKET_INFO = 1;
  private static final int KEY_SEQUENCE = 4;
  private static final int KEY_ACKNOWLEDGEMENT = 5;
  private static final int KEY_LENGTH = 6;

  private int type;
  private int packetInfo;
  private int sequence;
  private int acknowledgement;
  private int lengthField;

  @Override
  String name() {
    return "transport";
  }

  @Override
  void clear() {
    type = 0;
    packetInfo = 0;
    sequence = 0;
    acknowledgement = 0;
    lengthField = 0;
  }

  @Override
  int sizeOf(int key) {
    return switch (key) {
      case KEY_TYPE, KEY_PACKET_INFO -> 1;
      case KEY_LENGTH -> 2;
      case KEY_SEQUENCE, KEY_ACKNOWLEDGEMENT -> 4;
      default -> 0;
    };
  }

  @Override
  void take(int key, int value) {
    switch (key) {
      case KEY_TYPE -> type = value;
      case KEY_PACKET_INFO -> packetInfo = value;
      case KEY_SEQUENCE -> sequence = value;
      case KEY_ACKNOWLEDGEMENT -> acknowledgement = value;
      default -> lengthField = value;
    }
  }

  /**
   * Like {@link #tryWrap}.
   *
   * @throws MalformedPacketException saying what is wrong
   */
  public TransportFlyweight wrap(ByteBuffer buffer, int offset, int end) {
    wrapOrThrow(buffer, offset, end);
    return this;
  }

  /** Stream or datagram. */
  public int type() {
    return type;
  }

  /** What the packet is for: {@link #SYN}, {@link #DATA}, … */
  public int packetInfo() {
    return packetInfo;
  }

  /** Packet number, unsigned. */
  public int sequence() {
    return sequence;
  }

  /** Next packet number expected, unsigned. */
  public int acknowledgement() {
    return acknowledgement;
  }

  /** The LENGTH entry; the prototype always writes 0. */
  public int lengthField() {
    return lengthField;
  }

  /**
   * Writes a header without extensions: the prototype's {@value #PLAIN_LENGTH} bytes. Position and
   * limit stay.
   *
   * @return its length
   */
  public static int write(
      ByteBuffer buffer, int offset, int type, int packetInfo, int sequence, int acknowledgement) {
    putEntries(buffer, offset, type, packetInfo, sequence, acknowledgement);
    return PLAIN_LENGTH;
  }

  /**
   * Begins a header with extensions: the prototype's entries, then what {@link #putInt} and its
   * sisters add, in ascending order of keys; {@link #finish} closes it.
   */
  public TransportFlyweight begin(
      ByteBuffer buffer, int offset, int type, int packetInfo, int sequence, int acknowledgement) {
    putEntries(buffer, offset, type, packetInfo, sequence, acknowledgement);
    beginAt(buffer, offset, offset + PLAIN_LENGTH);
    return this;
  }

  private static void putEntries(
      ByteBuffer buffer, int at, int type, int packetInfo, int sequence, int acknowledgement) {
    buffer.put(at, (byte) XipFlyweight.NEXT_NONE).put(at + 1, (byte) PLAIN_LENGTH);
    buffer.put(at + 2, (byte) 2).put(at + 3, (byte) KEY_TYPE).put(at + 4, (byte) type);
    buffer.put(at + 5, (byte) 2).put(at + 6, (byte) KEY_PACKET_INFO).put(at + 7, (byte) packetInfo);
    buffer.put(at + 8, (byte) 5).put(at + 9, (byte) KEY_SEQUENCE);
    buffer.putInt(at + 10, Integer.reverseBytes(sequence));
    buffer.put(at + 14, (byte) 5).put(at + 15, (byte) KEY_ACKNOWLEDGEMENT);
    buffer.putInt(at + 16, Integer.reverseBytes(acknowledgement));
    buffer.put(at + 20, (byte) 3).put(at + 21, (byte) KEY_LENGTH).putShort(at + 22, (short) 0);
  }
}
