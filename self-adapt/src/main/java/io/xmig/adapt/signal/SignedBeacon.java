package io.xmig.adapt.signal;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Reader;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.key.Signer;
import io.xmig.xia.wire.XhcpBeacon;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A v1.1 beacon with, behind its last entry where the prototype's client does not look, a signed
 * trailer.
 *
 * <pre>
 *  v1.1 beacon (docs/wire.md section 9)
 *  envelope, kind BEACON, sequence number = stamp; its body:
 *     0 32  SHA-256 of the v1.1 beacon
 *    32  2  pause between beacons, milliseconds
 *    34  2  longest lifetime of a registration granted, seconds
 *    36  1  n: nonces of solicitations answered (0 to 4)
 *    37  8n nonces
 *     .  1  m: Ethernet addresses of machines that have just arrived (0 to 4)
 *     .  6m addresses
 *  2  length of the envelope
 *  4  "XMB1"
 * </pre>
 *
 * @param v1 what a v1.1 host sees
 * @param proof the envelope, {@code null} if the beacon is unsigned
 * @param periodMs pause between beacons; 1000 if unsigned
 * @param lifetimeS longest lifetime granted; 0 if unsigned
 * @param nonces solicitations answered
 * @param arrivals 48-bit addresses
 */
public record SignedBeacon(
    XhcpBeacon v1,
    @Nullable Envelope proof,
    int periodMs,
    int lifetimeS,
    List<Long> nonces,
    List<Long> arrivals) {
  /** Nonces or arrivals that one beacon carries. */
  public static final int MAX_ANSWERS = 4;

  private static final int MAGIC = 'X' << 24 | 'M' << 16 | 'B' << 8 | '1';
  private static final int TAIL = 6;

  public SignedBeacon {
    nonces = List.copyOf(nonces);
    arrivals = List.copyOf(arrivals);
  }

  /** An unsigned beacon as the prototype sends it. */
  public static SignedBeacon unsigned(XhcpBeacon v1) {
    return new SignedBeacon(v1, null, 1000, 0, List.of(), List.of());
  }

  /** Signs a beacon. */
  public static SignedBeacon seal(
      XhcpBeacon v1,
      Signer gateway,
      @Nullable Delegation delegation,
      long stamp,
      int periodMs,
      int lifetimeS,
      List<Long> nonces,
      List<Long> arrivals) {
    if (nonces.size() > MAX_ANSWERS || arrivals.size() > MAX_ANSWERS) {
      throw new IllegalArgumentException("a beacon answers at most 4 at a time");
    }
    ByteBuffer body = ByteBuffer.allocate(38 + 8 * nonces.size() + 6 * arrivals.size());
    body.put(digest(v1.encode())).putShort((short) periodMs).putShort((short) lifetimeS);
    body.put((byte) nonces.size());
    nonces.forEach(body::putLong);
    body.put((byte) arrivals.size());
    arrivals.forEach(mac -> body.putShort((short) (mac >>> 32)).putInt((int) (long) mac));
    Envelope proof = Envelope.seal(gateway, delegation, Envelope.KIND_BEACON, stamp, body.array());
    return new SignedBeacon(v1, proof, periodMs, lifetimeS, nonces, arrivals);
  }

  /**
   * The time at which a signed beacon was made, microseconds since the epoch; of an unsigned one
   * its number.
   */
  public long stamp() {
    return proof == null ? Integer.toUnsignedLong(v1.sequence()) : proof.sequence();
  }

  /** The bytes of the datagram. */
  public byte[] encode() {
    byte[] plain = v1.encode();
    Envelope p = proof;
    if (p == null) {
      return plain;
    }
    byte[] envelope = p.encode();
    return ByteBuffer.allocate(plain.length + envelope.length + TAIL)
        .put(plain)
        .put(envelope)
        .putShort((short) envelope.length)
        .putInt(MAGIC)
        .array();
  }

  /**
   * Reads a beacon; that the trailer belongs to the v1.1 part is checked, its signature is not.
   *
   * @throws RefusedException when the trailer is malformed
   * @throws io.xmig.xia.wire.MalformedPacketException when the v1.1 part is
   */
  public static SignedBeacon decode(ByteBuffer datagram) {
    int end = datagram.limit();
    if (datagram.remaining() > Signal.MAX_LENGTH) {
      throw new RefusedException(
          Refusal.MALFORMED, "beacon too long", Map.of("length", datagram.remaining()));
    }
    ByteBuffer bytes = datagram.duplicate().order(java.nio.ByteOrder.BIG_ENDIAN);
    if (bytes.remaining() < TAIL || bytes.getInt(end - 4) != MAGIC) {
      return unsigned(XhcpBeacon.decode(bytes));
    }
    int length = Short.toUnsignedInt(bytes.getShort(end - TAIL));
    int start = end - TAIL - length;
    if (start < bytes.position()) {
      throw new RefusedException(
          Refusal.MALFORMED, "beacon trailer longer than the beacon", Map.of("length", length));
    }
    ByteBuffer plain = bytes.duplicate().limit(start);
    Envelope proof = Envelope.decode(bytes.duplicate().position(start).limit(end - TAIL));
    if (proof.kind() != Envelope.KIND_BEACON) {
      throw new RefusedException(
          Refusal.MALFORMED, "beacon trailer of another kind", Map.of("kind", proof.kind()));
    }
    byte[] plainBytes = new byte[plain.remaining()];
    plain.duplicate().get(plainBytes);
    Reader in = new Reader("beacon trailer", proof.body());
    if (!Arrays.equals(in.bytes(32), digest(plainBytes))) {
      throw new RefusedException(Refusal.BAD_SIGNATURE, "the trailer was made for another beacon");
    }
    int period = in.u16();
    int lifetime = in.u16();
    List<Long> nonces = new ArrayList<>();
    for (int n = count(in); n > 0; n--) {
      nonces.add(in.i64());
    }
    List<Long> arrivals = new ArrayList<>();
    for (int n = count(in); n > 0; n--) {
      arrivals.add(in.u48());
    }
    in.end();
    return new SignedBeacon(
        XhcpBeacon.decode(plain), proof, Math.max(10, period), lifetime, nonces, arrivals);
  }

  private static int count(Reader in) {
    int n = in.u8();
    if (n > MAX_ANSWERS) {
      throw new RefusedException(
          Refusal.MALFORMED, "too many answers in a beacon", Map.of("count", n));
    }
    return n;
  }

  private static byte[] digest(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
