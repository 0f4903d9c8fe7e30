package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.wire.IpEncapsulation;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The sending end of a port that carries XIP in UDP in IPv4.
 *
 * @threading on the node's loop
 * @source XIA prototype v1.1, docs/wire.md section 12
 */
final class IpTunnel {
  private final int source;
  private final ByteBuffer out;
  private int id;

  /**
   * @param fourId of this port
   * @param mtu largest XIP packet
   */
  IpTunnel(Xid fourId, int mtu) {
    this.source = fourId.low();
    this.out = ByteBuffer.allocateDirect(IpEncapsulation.HEADER_LENGTH + mtu);
  }

  /**
   * The packet as an IPv4 packet to the 4ID that routing chose, position to limit of a buffer that
   * is reused; {@code null} if it chose something else, or IPv4 cannot carry it.
   *
   * @param target offset of the XID that was chosen
   */
  @Nullable ByteBuffer wrap(XipFlyweight packet, int target) {
    int length = packet.end() - packet.offset();
    ByteBuffer in = packet.buffer();
    if (in.getInt(target) != XidType.IP.code() || length > 0xffff - IpEncapsulation.HEADER_LENGTH) {
      return null;
    }
    int destination = in.getInt(target + Xid.LENGTH - Integer.BYTES);
    out.clear().put(IpEncapsulation.HEADER_LENGTH, in, packet.offset(), length);
    IpEncapsulation.write(out, 0, length, id++ & 0xffff, source, destination);
    return out.limit(IpEncapsulation.HEADER_LENGTH + length);
  }
}
