package io.xmig.testbed.attack;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * "I am your peer, and here is my new address", said to one end of a connection by somebody who is
 * not its other end: everything is right but the proof.
 *
 * @source docs/stream.md, "Packets" and "Moving"
 */
final class ForgedMove {
  private static final int NO_NEXT_HEADER = 59;
  private static final int MIGRATE = 7;
  private static final int KEY_SEGMENT = 0x41;
  private static final int KEY_CONTROL = 0x42;
  private static final int KEY_MIGRATE = 0x45;
  private static final int VALUE_BYTES = 22; // of SEGMENT, and of MIGRATE
  private static final int HEADER_BYTES = 8 + 2 * (2 + VALUE_BYTES);
  private static final int MAC_BYTES = 16;
  private static final int MAX_PACKET = 1500;
  private static final int HOPS = 250;

  /**
   * Somebody's connection, as far as its packets were heard.
   *
   * @param to address of the end that is lied to
   * @param from of the other end
   * @param token that tells this end which connection is meant
   */
  record Target(Dag to, Dag from, long token) {}

  private ForgedMove() {}

  /** What a frame tells of the connection it belongs to; {@code null} if nothing. */
  static @Nullable Target heardIn(byte[] frame) {
    ByteBuffer in = ByteBuffer.wrap(frame);
    XipFlyweight xip = new XipFlyweight();
    TransportFlyweight header = new TransportFlyweight();
    if (!xip.tryWrap(in, EthernetFlyweight.LENGTH, frame.length)
        || xip.nextHeader() != XipFlyweight.NEXT_TRANSPORT
        || !header.tryWrap(in, xip.payloadOffset(), xip.payloadEnd())
        || header.type() != TransportFlyweight.TYPE_STREAM) {
      return null;
    }
    Dag to = xip.destination();
    Dag from = xip.source();
    int at = Math.max(header.extensionOffset(KEY_SEGMENT), header.extensionOffset(KEY_CONTROL));
    return to == null || from == null || at < 0
        ? null
        : new Target(to, from, in.order(ByteOrder.LITTLE_ENDIAN).getLong(at));
  }

  /** The end at {@code service}, of a connection of which nothing was heard. */
  static Target unheard(Dag service, Dag here, RandomGenerator random) {
    byte[] sid = new byte[20];
    random.nextBytes(sid);
    return new Target(service, here.withIntent(Xid.of(XidType.SID, sid)), random.nextLong());
  }

  /**
   * The frame.
   *
   * @param here address of the liar
   * @param mac its Ethernet address
   */
  static byte[] frame(Target target, Dag here, long mac, RandomGenerator random) {
    byte[] claimed = here.withIntent(target.from.intent()).wireBytes();
    int xipBytes = XipFlyweight.lengthOf(target.to, target.from);
    int length = HEADER_BYTES + claimed.length;
    ByteBuffer out = ByteBuffer.allocate(EthernetFlyweight.LENGTH + xipBytes + length);
    EthernetFlyweight.write(out, 0, EthernetFlyweight.BROADCAST, mac, EthernetFlyweight.TYPE_XIP);
    XipFlyweight.write(
        out,
        EthernetFlyweight.LENGTH,
        XipFlyweight.NEXT_TRANSPORT,
        length,
        HOPS,
        target.to,
        target.from);
    int start = EthernetFlyweight.LENGTH + xipBytes;
    out.order(ByteOrder.LITTLE_ENDIAN).position(start);
    out.put((byte) NO_NEXT_HEADER).put((byte) HEADER_BYTES);
    out.put((byte) 2).put((byte) 0).put((byte) TransportFlyweight.TYPE_STREAM);
    out.put((byte) 2).put((byte) 1).put((byte) MIGRATE);
    out.put((byte) (1 + VALUE_BYTES)).put((byte) KEY_SEGMENT).putLong(target.token);
    int sumAt = out.position();
    out.putInt(0).putInt(random.nextInt(1 << 20)).putInt(0).put((byte) 0).put((byte) 1);
    byte[] proof = new byte[MAC_BYTES];
    random.nextBytes(proof);
    out.put((byte) (1 + VALUE_BYTES)).put((byte) KEY_MIGRATE);
    out.putInt(1 + random.nextInt(1000)).putShort((short) MAX_PACKET).put(proof).put(claimed);
    CRC32C crc = new CRC32C();
    crc.update(out.array(), start, length);
    return out.putInt(sumAt, (int) crc.getValue()).array();
  }
}
