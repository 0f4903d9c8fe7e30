package io.xmig.adapt.trust;

import io.xmig.xia.key.PublicIdentity;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A signed, numbered statement.
 *
 * <pre>
 *  0  4  "XMS1"
 *  4  1  kind of the body
 *  5  1  0
 *  6  8  sequence number: microseconds since the epoch where possible, always growing per signer
 * 14  2+n  body
 *  .  2+k  signer's key (X.509 encoding)
 *  .  2+d  delegation, empty when the signer speaks for itself
 *  .  2+s  signature over the context and everything before this field
 * </pre>
 *
 * All integers big-endian. No field of a v1.1 message starts with these four bytes, and the v1.1
 * daemons never see them: they are sent to services of their own, or behind a complete v1.1 beacon.
 */
public final class Envelope {
  /** Where a host is: {@code Location}. */
  public static final int KIND_LOCATION = 1;

  /** A gateway's beacon. */
  public static final int KIND_BEACON = 2;

  /** A gateway confirms a registration and tells how far the redirection is. */
  public static final int KIND_REGISTERED = 3;

  /** A gateway refuses a registration. */
  public static final int KIND_REFUSED = 4;

  /** A former gateway confirms that it redirects. */
  public static final int KIND_REPOINTED = 5;

  /** A routing daemon's LSA. */
  public static final int KIND_ROUTING = 6;

  /** A host registers a name. */
  public static final int KIND_NAME = 7;

  /** A name server answers a registration. */
  public static final int KIND_NAMED = 8;

  /** A routing daemon's {@code Hello}. */
  public static final int KIND_HELLO = 9;

  /** Longest body accepted, bytes. */
  public static final int MAX_BODY = 900;

  /** Longest envelope accepted, bytes. */
  public static final int MAX_LENGTH = 2400;

  private static final int MAGIC = 'X' << 24 | 'M' << 16 | 'S' << 8 | '1';
  private static final byte[] CONTEXT = "xmig envelope 1\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] NOTHING = {};

  private final int kind;
  private final long sequence;
  private final byte[] body;
  private final PublicIdentity signer;
  private final @Nullable Delegation delegation;
  private final byte[] signed;
  private final byte[] signature;

  private Envelope(
      int kind,
      long sequence,
      byte[] body,
      PublicIdentity signer,
      @Nullable Delegation delegation,
      byte[] signed,
      byte[] signature) {
    this.kind = kind;
    this.sequence = sequence;
    this.body = body;
    this.signer = signer;
    this.delegation = delegation;
    this.signed = signed;
    this.signature = signature;
  }

  /** Signs a body. */
  public static Envelope seal(
      Signer signer, @Nullable Delegation delegation, int kind, long sequence, byte[] body) {
    if (body.length > MAX_BODY) {
      throw new IllegalArgumentException("body of " + body.length + " bytes, limit " + MAX_BODY);
    }
    byte[] mandate = delegation == null ? NOTHING : delegation.encode();
    PublicIdentity identity = signer.identity();
    ByteBuffer out = ByteBuffer.allocate(20 + body.length + identity.keyLength() + mandate.length);
    out.putInt(MAGIC).put((byte) kind).put((byte) 0).putLong(sequence);
    out.putShort((short) body.length).put(body);
    out.putShort((short) identity.keyLength());
    identity.putKey(out);
    out.putShort((short) mandate.length).put(mandate);
    byte[] signed = out.array();
    return new Envelope(
        kind,
        sequence,
        body.clone(),
        identity,
        delegation,
        signed,
        signer.sign(withContext(signed)));
  }

  /** Whether the bytes begin like an envelope. */
  public static boolean looksLikeOne(ByteBuffer bytes) {
    return bytes.remaining() >= 4
        && bytes.get(bytes.position()) == 'X'
        && bytes.get(bytes.position() + 1) == 'M'
        && bytes.get(bytes.position() + 2) == 'S'
        && bytes.get(bytes.position() + 3) == '1';
  }

  /**
   * Reads an envelope; nothing is verified yet.
   *
   * @param bytes remaining bytes are the envelope, exactly; position stays
   * @throws RefusedException when it is malformed
   */
  public static Envelope decode(ByteBuffer bytes) {
    if (bytes.remaining() > MAX_LENGTH) {
      throw new RefusedException(
          Refusal.MALFORMED, "envelope too long", Map.of("length", bytes.remaining()));
    }
    Reader in = new Reader("envelope", bytes);
    if (in.i32() != MAGIC) {
      throw new RefusedException(Refusal.MALFORMED, "not an envelope");
    }
    int kind = in.u8();
    if (in.u8() != 0) {
      throw new RefusedException(Refusal.MALFORMED, "reserved byte of envelope is not 0");
    }
    long sequence = in.i64();
    byte[] body = in.field(MAX_BODY);
    PublicIdentity signer = Delegation.identity(in);
    byte[] mandate = in.field(Delegation.MAX_LENGTH);
    byte[] signed = new byte[in.position()];
    bytes.get(bytes.position(), signed);
    byte[] signature = in.field(512);
    in.end();
    return new Envelope(
        kind,
        sequence,
        body,
        signer,
        mandate.length == 0 ? null : Delegation.decode(mandate),
        signed,
        signature);
  }

  /** The encoded form. */
  public byte[] encode() {
    return ByteBuffer.allocate(length())
        .put(signed)
        .putShort((short) signature.length)
        .put(signature)
        .array();
  }

  /** Bytes of the encoded form. */
  public int length() {
    return signed.length + 2 + signature.length;
  }

  /**
   * Refuses unless the signature is genuine and the delegation, if there is one, allows this.
   *
   * @param purpose the SCOPE bit that a delegation must have
   * @param epochSeconds the time of the checker
   */
  public void check(Verifier verifier, int purpose, long epochSeconds) {
    if (delegation != null) {
      delegation.check(verifier, signer, purpose, epochSeconds);
    }
    if (!verifier.verify(signer, withContext(signed), signature)) {
      throw new RefusedException(Refusal.BAD_SIGNATURE, "forged envelope", Map.of("kind", kind));
    }
  }

  /** What the body is: one of the KIND constants. */
  public int kind() {
    return kind;
  }

  /** The sequence number. */
  public long sequence() {
    return sequence;
  }

  /** The body; read-only by agreement, not copied. */
  public ByteBuffer body() {
    return ByteBuffer.wrap(body).asReadOnlyBuffer();
  }

  /** Who signed. */
  public PublicIdentity signer() {
    return signer;
  }

  /** By whose leave the signer speaks, if not for itself. */
  public @Nullable Delegation delegation() {
    return delegation;
  }

  /** Who is spoken for: the issuer of the delegation, else the signer. */
  public PublicIdentity subject() {
    return delegation == null ? signer : delegation.issuer();
  }

  /**
   * A number that differs when the signed content differs; tells a duplicate from a contradiction.
   */
  public long fingerprint() {
    return ((long) Arrays.hashCode(signed) << 32) ^ Arrays.hashCode(signature);
  }

  private static byte[] withContext(byte[] signed) {
    return ByteBuffer.allocate(CONTEXT.length + signed.length).put(CONTEXT).put(signed).array();
  }
}
