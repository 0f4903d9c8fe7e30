package io.xmig.adapt.signal;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Reader;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.key.Signer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a host says about where it is; the one statement on which registration and redirection rest.
 *
 * <pre>
 *  0 24  HID of the host
 * 24 24  AD in which it is
 * 48 24  HID of the gateway it registers with
 * 72  8  stamp of the beacon that it answers (freshness)
 * 80  6  Ethernet address, 0 if not told
 * 86  2  lifetime in seconds
 * 88  1  flags: 1 said by a delegate on the host's behalf, 2 the guest goes on talking to other
 *        gateways, 4 the host has just arrived, so that its port may be another than before
 * 89  1  n: former domains (0 to 8), newest first
 * 90 24n their ADs
 *  .  1  with flag 2: m: such gateways (1 to 8)
 *  . 30m HID of each, and its Ethernet address as the guest knows it (6 bytes, 0 if not told)
 * </pre>
 *
 * @param hid the host
 * @param ad its domain
 * @param gateway whom it registers with
 * @param stamp {@link SignedBeacon#stamp} of the beacon answered
 * @param mac 48 bits, 0 if not told
 * @param lifetimeS how long it holds without being repeated
 * @param flags see above
 * @param formerAds domains whose routers shall send on what still comes for the host, newest first
 * @param homes for whom the new gateway must answer; none for a host that does not wait
 */
public record Location(
    Xid hid,
    Xid ad,
    Xid gateway,
    long stamp,
    long mac,
    int lifetimeS,
    int flags,
    List<Xid> formerAds,
    List<Home> homes) {
  /**
   * A gateway that a guest goes on talking to: for ever, or until its own agent finds the time.
   *
   * @param mac 48 bits, 0 if not told
   */
  public record Home(Xid gateway, long mac) {}

  /** Gateways that a statement may name as believed in by the guest. */
  public static final int MAX_HOMES = 8;

  private static final int HOME_LENGTH = Xid.LENGTH + 6;

  /** Former domains that a statement may name. */
  public static final int MAX_FORMER = 8;

  /** A delegate speaks for the host. */
  public static final int FLAG_DELEGATED = 1;

  /** The guest keeps its old address and gateway for now; the new one answers for the old one. */
  public static final int FLAG_PASSIVE_GUEST = 2;

  /** The host has just arrived where it is, or woken up. */
  public static final int FLAG_ARRIVED = 4;

  /** A statement about a host that follows beacons. */
  public Location(
      Xid hid,
      Xid ad,
      Xid gateway,
      long stamp,
      long mac,
      int lifetimeS,
      int flags,
      List<Xid> formerAds) {
    this(hid, ad, gateway, stamp, mac, lifetimeS, flags, formerAds, List.of());
  }

  public Location {
    formerAds = List.copyOf(formerAds);
    if (formerAds.size() > MAX_FORMER) {
      throw new IllegalArgumentException("at most 8 former domains, not " + formerAds.size());
    }
    homes = List.copyOf(homes);
    if (homes.size() > MAX_HOMES) {
      throw new IllegalArgumentException("at most 8 believed gateways, not " + homes.size());
    }
    flags = homes.isEmpty() ? flags & ~FLAG_PASSIVE_GUEST : flags | FLAG_PASSIVE_GUEST;
  }

  /** Signs the statement. */
  public Envelope seal(Signer signer, @Nullable Delegation delegation, long sequence) {
    int tail = homes.isEmpty() ? 0 : 1 + HOME_LENGTH * homes.size();
    ByteBuffer out = ByteBuffer.allocate(90 + Xid.LENGTH * formerAds.size() + tail);
    put(out, hid);
    put(out, ad);
    put(out, gateway);
    out.putLong(stamp);
    out.putShort((short) (mac >>> 32)).putInt((int) mac);
    out.putShort((short) lifetimeS).put((byte) flags).put((byte) formerAds.size());
    formerAds.forEach(former -> put(out, former));
    if (!homes.isEmpty()) {
      out.put((byte) homes.size());
      for (Home home : homes) {
        put(out, home.gateway);
        out.putShort((short) (home.mac >>> 32)).putInt((int) home.mac);
      }
    }
    return Envelope.seal(signer, delegation, Envelope.KIND_LOCATION, sequence, out.array());
  }

  /**
   * Reads the statement in an envelope and refuses it if the key is not the host's; the signature
   * is checked by {@link Envelope#check}, the age by the receiver.
   */
  public static Location of(Envelope envelope) {
    if (envelope.kind() != Envelope.KIND_LOCATION) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a location", Map.of("kind", envelope.kind()));
    }
    Reader in = new Reader("location", envelope.body());
    Xid hid = typed(in, XidType.HID);
    Xid ad = typed(in, XidType.AD);
    Xid gateway = typed(in, XidType.HID);
    long stamp = in.i64();
    long mac = in.u48();
    int lifetime = in.u16();
    int flags = in.u8();
    int count = in.u8();
    if (count > MAX_FORMER) {
      throw new RefusedException(
          Refusal.MALFORMED, "too many former domains", Map.of("count", count));
    }
    List<Xid> former = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      former.add(typed(in, XidType.AD));
    }
    List<Home> homes = (flags & FLAG_PASSIVE_GUEST) == 0 ? List.of() : readHomes(in);
    in.end();
    if (!envelope.subject().owns(hid)) {
      throw new RefusedException(
          Refusal.NOT_OWNER,
          "this key is not the host's",
          Map.of("hid", hid, "key", envelope.subject().hid().idHex()));
    }
    return new Location(hid, ad, gateway, stamp, mac, lifetime, flags, former, homes);
  }

  private static List<Home> readHomes(Reader in) {
    int count = in.u8();
    if (count == 0 || count > MAX_HOMES) {
      throw new RefusedException(
          Refusal.MALFORMED, "not 1 to 8 believed gateways", Map.of("count", count));
    }
    List<Home> homes = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      homes.add(new Home(typed(in, XidType.HID), in.u48()));
    }
    return homes;
  }

  static void put(ByteBuffer out, Xid xid) {
    xid.write(out, out.position());
    out.position(out.position() + Xid.LENGTH);
  }

  static Xid typed(Reader in, XidType type) {
    Xid xid = in.xid();
    if (!xid.is(type)) {
      throw new RefusedException(Refusal.MALFORMED, "expected " + type, Map.of("found", xid));
    }
    return xid;
  }
}
