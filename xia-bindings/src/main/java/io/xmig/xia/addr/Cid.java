package io.xmig.xia.addr;

import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.MessageDigest;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * The name of content: the SHA-1 of a chunk's bytes as an XID of type CID.
 *
 * @threading every method may be called from any thread; each thread reuses one digest
 * @source XIA prototype v1.1, docs/wire.md section 1
 */
public final class Cid {
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private static final class Scratch {
    final MessageDigest digest = DigestUtils.getSha1Digest();
    final byte[] hash = new byte[Xid.ID_LENGTH];
  }

  private Cid() {}

  /** The CID of a chunk. */
  public static Xid of(byte[] chunk) {
    Scratch scratch = SCRATCH.get();
    scratch.digest.update(chunk);
    return finish(scratch);
  }

  /** The CID of the bytes between position and limit; both stay. */
  public static Xid of(ByteBuffer chunk) {
    int position = chunk.position();
    Scratch scratch = SCRATCH.get();
    scratch.digest.update(chunk);
    chunk.position(position);
    return finish(scratch);
  }

  /** Whether the bytes between position and limit, which both stay, are the named content. */
  public static boolean matches(Xid cid, ByteBuffer chunk) {
    return cid.equals(of(chunk));
  }

  private static Xid finish(Scratch scratch) {
    try {
      scratch.digest.digest(scratch.hash, 0, Xid.ID_LENGTH);
    } catch (DigestException e) {
      throw new IllegalStateException("SHA-1 gives 20 bytes", e);
    }
    return Xid.of(XidType.CID, scratch.hash);
  }
}
