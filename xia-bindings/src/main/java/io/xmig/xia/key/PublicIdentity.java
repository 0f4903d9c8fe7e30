package io.xmig.xia.key;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/**
 * A public key and the identifiers that belong to it: a HID, SID or AD is self-certifying when its
 * 160 bits are the SHA-1 of the base64 text of the key, the rule of the prototype v1.2.
 *
 * @source docs/prototype.md, "Keys"
 */
public final class PublicIdentity {
  /** Longest encoded key accepted, bytes. */
  public static final int MAX_KEY_LENGTH = 256;

  private final byte[] key;
  private final byte[] id;

  /**
   * @param key the key in its X.509 encoding (what {@link java.security.PublicKey#getEncoded}
   *     gives); copied
   */
  public PublicIdentity(byte[] key) {
    if (key.length == 0 || key.length > MAX_KEY_LENGTH) {
      throw new IllegalArgumentException("an encoded key has 1 to 256 bytes, not " + key.length);
    }
    this.key = key.clone();
    try {
      this.id = MessageDigest.getInstance("SHA-1").digest(Base64.getEncoder().encode(key));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-1", e);
    }
  }

  /** The encoded key; a copy. */
  public byte[] key() {
    return key.clone();
  }

  /** Bytes of the encoded key. */
  public int keyLength() {
    return key.length;
  }

  /** Appends the encoded key. */
  public void putKey(java.nio.ByteBuffer out) {
    out.put(key);
  }

  /** The identifier of this key as a principal of the given type. */
  public Xid xid(XidType type) {
    return Xid.of(type, id);
  }

  /** The host that this key speaks for. */
  public Xid hid() {
    return xid(XidType.HID);
  }

  /** Whether an identifier, of whatever type, is the hash of this key. */
  public boolean owns(Xid xid) {
    return Arrays.equals(xid.id(), id);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PublicIdentity p && Arrays.equals(key, p.key);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(id);
  }

  @Override
  public String toString() {
    return "key " + hid().idHex();
  }
}
