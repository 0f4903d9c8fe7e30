package io.xmig.adapt.trust;

import io.xmig.xia.key.PublicIdentity;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The owner of an identifier lets another key speak for it, for some purposes and some time: a
 * guest's owner hands the guest's location to the hypervisor host, a domain's owner hands its
 * beacons to the gateway.
 *
 * <pre>
 *  0  1  version, 1
 *  1  1  scope bits: 1 location, 2 domain, 4 names
 *  2  8  valid from, seconds since the epoch
 * 10  8  valid until (exclusive)
 * 18  2+k  delegate's key
 *  .  2+k  issuer's key
 *  .  2+s  issuer's signature over the context and everything before this field
 * </pre>
 */
public final class Delegation {
  /** May say where the host is. */
  public static final int SCOPE_LOCATION = 1;

  /** May send the domain's beacons and its routing messages. */
  public static final int SCOPE_DOMAIN = 2;

  /** May register names for the host. */
  public static final int SCOPE_NAMES = 4;

  /** Longest encoding accepted, bytes. */
  public static final int MAX_LENGTH = 1024;

  private static final byte[] CONTEXT = "xmig delegation 1\0".getBytes(StandardCharsets.US_ASCII);
  private static final int MAX_SIGNATURE = 512;

  private final int scope;
  private final long notBefore;
  private final long notAfter;
  private final PublicIdentity delegate;
  private final PublicIdentity issuer;
  private final byte[] signature;
  private final byte[] signed;

  private Delegation(
      int scope,
      long notBefore,
      long notAfter,
      PublicIdentity delegate,
      PublicIdentity issuer,
      byte[] signed,
      byte[] signature) {
    this.scope = scope;
    this.notBefore = notBefore;
    this.notAfter = notAfter;
    this.delegate = delegate;
    this.issuer = issuer;
    this.signed = signed;
    this.signature = signature;
  }

  /**
   * Issues a delegation.
   *
   * @param scope one or more of the SCOPE bits
   * @param notBefore seconds since the epoch
   * @param notAfter seconds since the epoch, exclusive
   */
  public static Delegation issue(
      Signer issuer, PublicIdentity delegate, int scope, long notBefore, long notAfter) {
    if (notAfter <= notBefore) {
      throw new IllegalArgumentException("a delegation ends after it begins");
    }
    ByteBuffer out = ByteBuffer.allocate(22 + delegate.keyLength() + issuer.identity().keyLength());
    out.put((byte) 1).put((byte) scope).putLong(notBefore).putLong(notAfter);
    out.putShort((short) delegate.keyLength());
    delegate.putKey(out);
    out.putShort((short) issuer.identity().keyLength());
    issuer.identity().putKey(out);
    byte[] signed = out.array();
    return new Delegation(
        scope,
        notBefore,
        notAfter,
        delegate,
        issuer.identity(),
        signed,
        issuer.sign(withContext(signed)));
  }

  /**
   * Reads a delegation; nothing is verified yet.
   *
   * @throws RefusedException when it is malformed
   */
  public static Delegation decode(byte[] bytes) {
    Reader in = new Reader("delegation", ByteBuffer.wrap(bytes));
    int version = in.u8();
    if (version != 1) {
      throw new RefusedException(
          Refusal.MALFORMED, "unknown delegation version", Map.of("version", version));
    }
    int scope = in.u8();
    long notBefore = in.i64();
    long notAfter = in.i64();
    PublicIdentity delegate = identity(in);
    PublicIdentity issuer = identity(in);
    byte[] signed = java.util.Arrays.copyOf(bytes, in.position());
    byte[] signature = in.field(MAX_SIGNATURE);
    in.end();
    return new Delegation(scope, notBefore, notAfter, delegate, issuer, signed, signature);
  }

  static PublicIdentity identity(Reader in) {
    byte[] key = in.field(PublicIdentity.MAX_KEY_LENGTH);
    if (key.length == 0) {
      throw new RefusedException(Refusal.MALFORMED, "empty key");
    }
    return new PublicIdentity(key);
  }

  /** The encoded form. */
  public byte[] encode() {
    return ByteBuffer.allocate(signed.length + 2 + signature.length)
        .put(signed)
        .putShort((short) signature.length)
        .put(signature)
        .array();
  }

  /**
   * Refuses unless the delegation is genuine, for this key, for this purpose and valid now.
   *
   * @param epochSeconds the time of the checker
   */
  public void check(Verifier verifier, PublicIdentity signer, int purpose, long epochSeconds) {
    if (!delegate.equals(signer)) {
      throw new RefusedException(Refusal.DELEGATION, "delegation is for another key");
    }
    if ((scope & purpose) != purpose) {
      throw new RefusedException(
          Refusal.DELEGATION, "delegation is not for this", Map.of("scope", scope));
    }
    if (epochSeconds < notBefore || epochSeconds >= notAfter) {
      throw new RefusedException(
          Refusal.DELEGATION,
          "delegation is not valid now",
          Map.of("from", notBefore, "until", notAfter, "now", epochSeconds));
    }
    if (!verifier.verify(issuer, withContext(signed), signature)) {
      throw new RefusedException(Refusal.BAD_SIGNATURE, "forged delegation");
    }
  }

  /** Whose identifier is spoken for. */
  public PublicIdentity issuer() {
    return issuer;
  }

  /** Who may speak. */
  public PublicIdentity delegate() {
    return delegate;
  }

  /** SCOPE bits. */
  public int scope() {
    return scope;
  }

  /** End of validity, seconds since the epoch. */
  public long notAfter() {
    return notAfter;
  }

  private static byte[] withContext(byte[] signed) {
    return ByteBuffer.allocate(CONTEXT.length + signed.length).put(CONTEXT).put(signed).array();
  }
}
