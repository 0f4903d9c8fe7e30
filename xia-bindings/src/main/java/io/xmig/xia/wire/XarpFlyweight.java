package io.xmig.xia.wire;

import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A view over an XARP message: which Ethernet address has this HID?
 *
 * <pre>
 *  0      2          4   5    6           8            14          38          44          68
 *  | 1    | 0xc0de   | 6 | 24 | operation | sender MAC | sender XID | target MAC | target XID |
 * </pre>
 *
 * @threading one thread
 * @source XIA prototype v1.1, docs/wire.md section 8
 */
public final class XarpFlyweight {
  /** Bytes of a message. */
  public static final int LENGTH = 68;

  /** {@link #operation()}: who has it? */
  public static final int REQUEST = 1;

  /** {@link #operation()}: I have. */
  public static final int REPLY = 2;

  private static final long FIXED_PART = 0x0001_c0de_0618_0000L;
  private static final int OPERATION_OFFSET = 6;
  private static final int SENDER_MAC_OFFSET = 8;
  private static final int SENDER_XID_OFFSET = 14;
  private static final int TARGET_MAC_OFFSET = 38;
  private static final int TARGET_XID_OFFSET = 44;

  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private int base;

  /**
   * Aims this view at a message; position and limit stay.
   *
   * @return whether it is a whole message for Ethernet and XIP; if not, the view keeps its old aim
   */
  public boolean tryWrap(ByteBuffer buffer, int offset, int end) {
    if (buffer.order() != ByteOrder.BIG_ENDIAN) {
      throw new IllegalArgumentException("a packet buffer is big-endian");
    }
    if (offset < 0
        || end > buffer.limit()
        || end - offset < LENGTH
        || (buffer.getLong(offset) & 0xffff_ffff_ffff_0000L) != FIXED_PART) {
      return false;
    }
    this.buffer = buffer;
    this.base = offset;
    return true;
  }

  /**
   * Like {@link #tryWrap}.
   *
   * @throws MalformedPacketException if it is truncated or not for Ethernet and XIP
   */
  public XarpFlyweight wrap(ByteBuffer buffer, int offset, int end) {
    if (!tryWrap(buffer, offset, end)) {
      throw new MalformedPacketException(
          "xarp truncated or not for Ethernet and XIP", offset, end - offset);
    }
    return this;
  }

  /** {@link #REQUEST}, {@link #REPLY}, or something to ignore. */
  public int operation() {
    return Short.toUnsignedInt(buffer.getShort(base + OPERATION_OFFSET));
  }

  /** Ethernet address of the sender. */
  public long senderMac() {
    return EthernetFlyweight.mac(buffer, base + SENDER_MAC_OFFSET);
  }

  /** HID of the sender; a new object. */
  public Xid senderXid() {
    return Xid.read(buffer, base + SENDER_XID_OFFSET);
  }

  /** Ethernet address of the target, 0 in requests. */
  public long targetMac() {
    return EthernetFlyweight.mac(buffer, base + TARGET_MAC_OFFSET);
  }

  /** XID asked about; a new object. */
  public Xid targetXid() {
    return Xid.read(buffer, base + TARGET_XID_OFFSET);
  }

  /** Whether the message asks about this XID. */
  public boolean isTarget(Xid xid) {
    return xid.matches(buffer, base + TARGET_XID_OFFSET);
  }

  /** Writes a message of {@value #LENGTH} bytes. */
  public static void write(
      ByteBuffer buffer,
      int offset,
      int operation,
      long senderMac,
      Xid senderXid,
      long targetMac,
      Xid targetXid) {
    buffer.putLong(offset, FIXED_PART | operation);
    EthernetFlyweight.putMac(buffer, offset + SENDER_MAC_OFFSET, senderMac);
    senderXid.write(buffer, offset + SENDER_XID_OFFSET);
    EthernetFlyweight.putMac(buffer, offset + TARGET_MAC_OFFSET, targetMac);
    targetXid.write(buffer, offset + TARGET_XID_OFFSET);
  }
}
