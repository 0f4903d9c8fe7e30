package io.xmig.adapt.lab;

import io.xmig.xia.key.PublicIdentity;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * Signatures that cost a microsecond, for thousands of seeds: nobody without the signer object
 * makes them. The real scheme has tests of its own.
 */
public final class TestKeys implements Verifier {
  private TestKeys() {}

  /** Checks the signatures of {@link #signer}. */
  public static Verifier verifier() {
    return new TestKeys();
  }

  /** The key pair called {@code name}, always the same. */
  public static Signer signer(String name) {
    PublicIdentity identity =
        new PublicIdentity(digest(name.getBytes(StandardCharsets.UTF_8), new byte[0]));
    return new Signer() {
      @Override
      public PublicIdentity identity() {
        return identity;
      }

      @Override
      public byte[] sign(byte[] message) {
        return digest(identity.key(), message);
      }
    };
  }

  @Override
  public boolean verify(PublicIdentity key, byte[] message, byte[] signature) {
    return Arrays.equals(signature, digest(key.key(), message));
  }

  private static byte[] digest(byte[] key, byte[] message) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update("secret".getBytes(StandardCharsets.US_ASCII));
      sha.update(key);
      return sha.digest(message);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
