package io.xmig.chunk.verify;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * The running SHA-256 of a stream.
 *
 * @threading one lane
 */
public final class StreamDigest {
  /** Bytes of the result. */
  public static final int LENGTH = 32;

  private final MessageDigest sha256 = DigestUtils.getSha256Digest();
  private long length;

  /** Takes the remaining bytes; position and limit stay. */
  public void update(ByteBuffer data) {
    length += data.remaining();
    sha256.update(data.duplicate());
  }

  /** Bytes taken. */
  public long length() {
    return length;
  }

  /** The digest of all bytes taken; nothing can be added afterwards. */
  public byte[] finish() {
    return sha256.digest();
  }
}
