package io.xmig.xia.node.stream;

import io.xmig.xia.wire.TransportFlyweight;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Names and shapes of the stream header: the prototype's TLV header with entries of our own, whose
 * keys begin at 0x40 and whose values are little-endian like the rest.
 *
 * <pre>
 * 0x40 OFFER    ver(1) 0(1) token(8) crc(4) peerToken(8) window(4) maxPacket(2) share(16)   SYN, SYNACK
 * 0x41 SEGMENT  token(8) crc(4) number(4) offset(5) flags(1)                         DATA, FIN, MIGRATE
 * 0x42 CONTROL  token(8) crc(4)                                               ACK, RST, MIGRATEACK
 * 0x43 ACK      largest(4) delay(2, 8 µs) next(5) credit(4) first(2) { gap(2) more(2) }
 * 0x44 RESET    reason(1) reflected token(8)                                                 RST
 * 0x45 MIGRATE  sequence(4) maxPacket(2) mac(16); the payload is the new address          MIGRATE
 * 0x46 MOVED    sequence(4) mac(16)                                                     MIGRATEACK
 * </pre>
 *
 * The checksum is CRC-32C from the first byte of this header to the end of the payload with the
 * checksum itself taken as 0; for SYN and SYNACK it begins with the source nodes of the XIP header,
 * because the answer depends on them.
 *
 * @source prototype: docs/wire.md section 5; extensions: docs/stream.md
 */
final class StreamHeader {
  static final int NEXT_HEADER = 60;
  static final int NO_NEXT_HEADER = 59;
  static final int HOP_LIMIT = 250;

  static final int SYN = TransportFlyweight.SYN;
  static final int SYNACK = TransportFlyweight.SYNACK;
  static final int DATA = TransportFlyweight.DATA;
  static final int ACK = TransportFlyweight.ACK;
  static final int FIN = TransportFlyweight.FIN;
  static final int MIGRATE = 7;
  static final int MIGRATEACK = 8;
  static final int RST = 9;

  private static final int KEY_TYPE = 0;
  private static final int KEY_PACKET = 1;
  static final int KEY_OFFER = 0x40;
  static final int KEY_SEGMENT = 0x41;
  static final int KEY_CONTROL = 0x42;
  static final int KEY_ACK = 0x43;
  static final int KEY_RESET = 0x44;
  static final int KEY_MIGRATE = 0x45;
  static final int KEY_MOVED = 0x46;

  static final int MAX_LENGTH = 252;
  static final int OFFER_LENGTH = 46;
  static final int SEGMENT_LENGTH = 22;
  static final int CONTROL_LENGTH = 12;
  static final int ACK_FIXED_LENGTH = 17;
  static final int ACK_RANGE_LENGTH = 4;
  static final int RESET_LENGTH = 9;
  static final int MIGRATE_LENGTH = 22;
  static final int MOVED_LENGTH = 20;
  static final int SHARE_LENGTH = 16;
  static final int MAC_LENGTH = 16;

  /**
   * Length of the header of a data packet of our own kind without a piggybacked acknowledgement.
   */
  static final int DATA_HEADER_LENGTH = 32;

  static final int VERSION = 1;

  /** SEGMENT flag: acknowledge at once. */
  static final int FLAG_ACK_NOW = 1;

  /** SEGMENT flag: the sender would send more if the receive window were larger. */
  static final int FLAG_WINDOW_FULL = 2;

  /** Unit of the ACK delay. */
  static final int ACK_DELAY_UNIT_NS = 8_000;

  static final byte[] CONNECTION_REQUEST = ascii("Connection_request");
  static final byte[] CONNECTION_GRANTED = ascii("Connection_granted");
  static final byte[] CUMULATIVE_ACK = ascii("cumulative_ACK");

  private final CRC32C crc = new CRC32C();
  private final ByteBuffer zero = ByteBuffer.allocateDirect(4);

  private final TransportFlyweight tlv = new TransportFlyweight();
  private ByteBuffer buffer = zero;
  private int start;
  private int end;
  private int offer;
  private int segment;
  private int control;
  private int ack;
  private int ackRanges;
  private int reset;
  private int migrate;
  private int moved;

  private static byte[] ascii(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  /**
   * Reads the header at {@code start}; the buffer must be big-endian.
   *
   * @param end where the packet ends
   * @return false when this is no stream header or a malformed one
   */
  boolean parse(ByteBuffer buffer, int start, int end) {
    if (!tlv.tryWrap(buffer, start, end)
        || tlv.nextHeader() != NO_NEXT_HEADER
        || tlv.type() != TransportFlyweight.TYPE_STREAM) {
      return false;
    }
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    offer = tlv.extensionOffset(KEY_OFFER);
    segment = tlv.extensionOffset(KEY_SEGMENT);
    control = tlv.extensionOffset(KEY_CONTROL);
    ack = tlv.extensionOffset(KEY_ACK);
    reset = tlv.extensionOffset(KEY_RESET);
    migrate = tlv.extensionOffset(KEY_MIGRATE);
    moved = tlv.extensionOffset(KEY_MOVED);
    int ackLength = tlv.extensionLength(KEY_ACK);
    ackRanges = (ackLength - ACK_FIXED_LENGTH) / ACK_RANGE_LENGTH;
    return isAbsentOr(KEY_OFFER, OFFER_LENGTH)
        && isAbsentOr(KEY_SEGMENT, SEGMENT_LENGTH)
        && isAbsentOr(KEY_CONTROL, CONTROL_LENGTH)
        && isAbsentOr(KEY_RESET, RESET_LENGTH)
        && isAbsentOr(KEY_MIGRATE, MIGRATE_LENGTH)
        && isAbsentOr(KEY_MOVED, MOVED_LENGTH)
        && (ack < 0
            || (ackLength >= ACK_FIXED_LENGTH
                && (ackLength - ACK_FIXED_LENGTH) % ACK_RANGE_LENGTH == 0));
  }

  private boolean isAbsentOr(int key, int length) {
    int actual = tlv.extensionLength(key);
    return actual < 0 || actual == length;
  }

  int packet() {
    return tlv.packetInfo();
  }

  int payloadOffset() {
    return tlv.dataOffset();
  }

  int payloadLength() {
    return end - tlv.dataOffset();
  }

  /** SEQ_NUM of the prototype. */
  int sequence() {
    return tlv.sequence();
  }

  /** ACK_NUM of the prototype. */
  int acknowledgement() {
    return tlv.acknowledgement();
  }

  boolean isPrototype() {
    return tlv.headerLength() == TransportFlyweight.PLAIN_LENGTH && tlv.extensionSet() == 0;
  }

  /** Whether the payload is exactly this. */
  boolean payloadIs(byte[] expected) {
    if (payloadLength() != expected.length) {
      return false;
    }
    for (int i = 0; i < expected.length; i++) {
      if (buffer.get(payloadOffset() + i) != expected[i]) {
        return false;
      }
    }
    return true;
  }

  boolean hasOffer() {
    return offer >= 0;
  }

  int offerVersion() {
    return Byte.toUnsignedInt(buffer.get(offer));
  }

  long offerToken() {
    return longAt(offer + 2);
  }

  long offerPeerToken() {
    return longAt(offer + 14);
  }

  long offerWindow() {
    return Integer.toUnsignedLong(intAt(offer + 22));
  }

  int offerMaxPacket() {
    return shortAt(offer + 26);
  }

  byte[] offerShare() {
    byte[] share = new byte[SHARE_LENGTH];
    buffer.get(offer + 28, share);
    return share;
  }

  boolean hasSegment() {
    return segment >= 0;
  }

  boolean hasControl() {
    return control >= 0;
  }

  /** The token of SEGMENT or CONTROL. */
  long token() {
    return longAt(segment >= 0 ? segment : control);
  }

  int segmentNumber() {
    return intAt(segment + 12);
  }

  long segmentOffset() {
    return fiveAt(segment + 16);
  }

  int segmentFlags() {
    return buffer.get(segment + 21);
  }

  boolean hasAck() {
    return ack >= 0;
  }

  int ackLargest() {
    return intAt(ack);
  }

  long ackDelayNs() {
    return (long) shortAt(ack + 4) * ACK_DELAY_UNIT_NS;
  }

  long ackNext() {
    return fiveAt(ack + 6);
  }

  long ackCredit() {
    return Integer.toUnsignedLong(intAt(ack + 11));
  }

  /** Numbers acknowledged below {@link #ackLargest} without a gap. */
  int ackFirst() {
    return shortAt(ack + 15);
  }

  int ackRanges() {
    return ackRanges;
  }

  /**
   * Numbers missing between one range and the next one down; 0 stands for none, which is invalid.
   */
  int ackGap(int i) {
    return shortAt(ack + ACK_FIXED_LENGTH + i * ACK_RANGE_LENGTH);
  }

  /** Numbers in that next range, less one. */
  int ackMore(int i) {
    return shortAt(ack + ACK_FIXED_LENGTH + i * ACK_RANGE_LENGTH + 2);
  }

  boolean hasReset() {
    return reset >= 0;
  }

  int resetReason() {
    return Byte.toUnsignedInt(buffer.get(reset));
  }

  long resetReflected() {
    return longAt(reset + 1);
  }

  boolean hasMigrate() {
    return migrate >= 0;
  }

  long migrateSequence() {
    return Integer.toUnsignedLong(intAt(migrate));
  }

  int migrateMaxPacket() {
    return shortAt(migrate + 4);
  }

  byte[] migrateMac() {
    byte[] mac = new byte[MAC_LENGTH];
    buffer.get(migrate + 6, mac);
    return mac;
  }

  boolean hasMoved() {
    return moved >= 0;
  }

  long movedSequence() {
    return Integer.toUnsignedLong(intAt(moved));
  }

  byte[] movedMac() {
    byte[] mac = new byte[MAC_LENGTH];
    buffer.get(moved + 4, mac);
    return mac;
  }

  /**
   * Whether the checksum of a packet of our own kind is right.
   *
   * @param sourceNodes where the source nodes of the XIP header begin
   */
  boolean checksumIsRight(int sourceNodes) {
    int at;
    int from = start;
    if (offer >= 0) {
      at = offer + 10;
      from = sourceNodes;
    } else if (segment >= 0) {
      at = segment + 8;
    } else if (control >= 0) {
      at = control + 8;
    } else {
      return false;
    }
    return checksum(buffer, from, at, end) == intAt(at);
  }

  private int checksum(ByteBuffer bytes, int from, int at, int to) {
    int position = bytes.position();
    int limit = bytes.limit();
    crc.reset();
    bytes.limit(at).position(from);
    crc.update(bytes);
    crc.update(zero.clear());
    bytes.limit(to).position(at + 4);
    crc.update(bytes);
    bytes.limit(limit).position(position);
    return (int) crc.getValue();
  }

  private int intAt(int at) {
    return Integer.reverseBytes(buffer.getInt(at));
  }

  private long longAt(int at) {
    return Long.reverseBytes(buffer.getLong(at));
  }

  private int shortAt(int at) {
    return Short.toUnsignedInt(Short.reverseBytes(buffer.getShort(at)));
  }

  private long fiveAt(int at) {
    return Integer.toUnsignedLong(intAt(at)) | (long) Byte.toUnsignedInt(buffer.get(at + 4)) << 32;
  }

  /**
   * The value near {@code reference} whose low {@code bits} bits are {@code low}. What is sent
   * short is made whole again by what is known already.
   */
  static long expand(long reference, long low, int bits) {
    long size = 1L << bits;
    long candidate = (reference & -size) | low;
    if (candidate > reference + size / 2 && candidate >= size) {
      return candidate - size;
    }
    if (candidate < reference - size / 2) {
      return candidate + size;
    }
    return candidate;
  }

  // Writing. The output is the node's packet buffer, big-endian, its position where the header
  // goes.

  private ByteBuffer out = zero;
  private int outStart;
  private int outChecksum;
  private int outChecksumFrom;

  /** Begins a header with everything that v1.1 writes: 24 bytes, to which entries may be added. */
  StreamHeader beginPrototype(ByteBuffer out, int packet, int sequence, int acknowledgement) {
    this.out = out;
    outStart = out.position();
    outChecksum = -1;
    int length =
        TransportFlyweight.write(
            out, outStart, TransportFlyweight.TYPE_STREAM, packet, sequence, acknowledgement);
    out.position(outStart + length);
    return this;
  }

  /**
   * Begins a short header for a peer of our own kind: what v1.1 writes besides TYPE and PKT_INFO
   * would always be 0.
   */
  StreamHeader begin(ByteBuffer out, int packet) {
    this.out = out;
    outStart = out.position();
    outChecksum = -1;
    out.put((byte) NO_NEXT_HEADER).put((byte) 0);
    out.put((byte) 2).put((byte) KEY_TYPE).put((byte) TransportFlyweight.TYPE_STREAM);
    out.put((byte) 2).put((byte) KEY_PACKET).put((byte) packet);
    return this;
  }

  StreamHeader offer(
      long token, long peerToken, long window, int maxPacket, byte[] share, int sourceNodesLength) {
    entry(KEY_OFFER, OFFER_LENGTH);
    out.put((byte) VERSION).put((byte) 0);
    putLong(token);
    checksumHere(outStart - sourceNodesLength);
    putLong(peerToken);
    putInt((int) Math.min(window, 0xFFFF_FFFFL));
    putShort(maxPacket);
    out.put(share, 0, SHARE_LENGTH);
    return this;
  }

  StreamHeader segment(long token, long number, long offset, int flags) {
    entry(KEY_SEGMENT, SEGMENT_LENGTH);
    putLong(token);
    checksumHere(outStart);
    putInt((int) number);
    putFive(offset);
    out.put((byte) flags);
    return this;
  }

  StreamHeader control(long token) {
    entry(KEY_CONTROL, CONTROL_LENGTH);
    putLong(token);
    checksumHere(outStart);
    return this;
  }

  StreamHeader ack(AckRanges ranges, int maxRanges, long delayNs, long next, long credit) {
    int lengthAt = out.position();
    entry(KEY_ACK, ACK_FIXED_LENGTH);
    putInt((int) ranges.largest());
    putShort((int) Math.min(0xFFFF, Math.max(0, delayNs) / ACK_DELAY_UNIT_NS));
    putFive(next);
    putInt((int) Math.min(credit, 0xFFFF_FFFFL));
    long first = ranges.high(0) - ranges.low(0);
    putShort((int) Math.min(0xFFFF, first));
    if (first <= 0xFFFF) {
      int count = Math.min(maxRanges, ranges.count());
      int written = 0;
      for (int i = 1; i < count; i++) {
        long gap = ranges.low(i - 1) - ranges.high(i) - 1;
        long more = ranges.high(i) - ranges.low(i);
        if (gap > 0xFFFF || more > 0xFFFF) {
          break;
        }
        putShort((int) gap);
        putShort((int) more);
        written++;
      }
      out.put(lengthAt, (byte) (1 + ACK_FIXED_LENGTH + written * ACK_RANGE_LENGTH));
    }
    return this;
  }

  StreamHeader reset(int reason, long reflected) {
    entry(KEY_RESET, RESET_LENGTH);
    out.put((byte) reason);
    putLong(reflected);
    return this;
  }

  StreamHeader migrate(long sequence, int maxPacket, byte[] mac) {
    entry(KEY_MIGRATE, MIGRATE_LENGTH);
    putInt((int) sequence);
    putShort(maxPacket);
    out.put(mac, 0, MAC_LENGTH);
    return this;
  }

  StreamHeader moved(long sequence, byte[] mac) {
    entry(KEY_MOVED, MOVED_LENGTH);
    putInt((int) sequence);
    out.put(mac, 0, MAC_LENGTH);
    return this;
  }

  /** Ends the header: padding and length. The payload follows. */
  ByteBuffer endHeader() {
    while ((out.position() - outStart & 3) != 0) {
      out.put((byte) 0);
    }
    out.put(outStart + 1, (byte) (out.position() - outStart));
    return out;
  }

  /**
   * Ends the packet: fills in the checksum, if it has one.
   *
   * @return the length of header and payload
   */
  int seal() {
    int to = out.position();
    if (outChecksum >= 0) {
      int sum = checksum(out, outChecksumFrom, outChecksum, to);
      out.putInt(outChecksum, Integer.reverseBytes(sum));
    }
    return to - outStart;
  }

  private void entry(int key, int size) {
    out.put((byte) (1 + size)).put((byte) key);
  }

  private void checksumHere(int from) {
    outChecksum = out.position();
    outChecksumFrom = from;
    out.putInt(0);
  }

  private void putInt(int value) {
    out.putInt(Integer.reverseBytes(value));
  }

  private void putLong(long value) {
    out.putLong(Long.reverseBytes(value));
  }

  private void putShort(int value) {
    out.putShort(Short.reverseBytes((short) value));
  }

  private void putFive(long value) {
    putInt((int) value);
    out.put((byte) (value >>> 32));
  }
}
