package io.xmig.chunk.verify;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Computes chunk identifiers.
 *
 * @threading any; one digest per thread
 * @source XIA prototype v1.1, docs/wire.md: the CID is the SHA-1 of the chunk
 */
public final class Cids {
  private static final ThreadLocal<MessageDigest> SHA1 =
      ThreadLocal.withInitial(() -> digest("SHA-1"));

  private Cids() {}

  /** The CID of the remaining bytes; position and limit stay. */
  public static Xid of(ByteBuffer data) {
    MessageDigest sha1 = SHA1.get();
    sha1.reset();
    sha1.update(data.duplicate());
    return Xid.of(XidType.CID, sha1.digest());
  }

  static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java runtime lacks " + algorithm, e);
    }
  }
}
