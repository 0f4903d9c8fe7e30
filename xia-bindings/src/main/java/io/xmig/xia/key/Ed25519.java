package io.xmig.xia.key;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Ed25519 from the JDK: keys of 44 bytes encoded, signatures of 64, deterministic, no parameters to
 * get wrong. The prototype v1.2 uses RSA keys with SHA-1 signatures, whose size alone would not fit
 * the 1024-byte buffers of its daemons next to a statement.
 *
 * @threading an instance belongs to one thread; each service has its own
 */
public final class Ed25519 implements Verifier {
  static final String ALGORITHM = "Ed25519";
  private static final int CACHED_KEYS = 256;

  private final Map<PublicIdentity, PublicKey> parsed =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<PublicIdentity, PublicKey> eldest) {
          return size() > CACHED_KEYS;
        }
      };
  private @Nullable Signature signature;

  /** A new key pair. */
  public static Signer generate() {
    try {
      return signer(KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java platform has no Ed25519; use JDK 17 or newer", e);
    }
  }

  /** A signer for an existing key pair. */
  public static Signer signer(KeyPair pair) {
    return new KeyPairSigner(pair);
  }

  @Override
  public boolean verify(PublicIdentity key, byte[] message, byte[] signatureBytes) {
    try {
      PublicKey publicKey = parsed.get(key);
      if (publicKey == null) {
        publicKey =
            KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(key.key()));
        parsed.put(key, publicKey);
      }
      Signature check = signature;
      if (check == null) {
        check = Signature.getInstance(ALGORITHM);
        signature = check;
      }
      check.initVerify(publicKey);
      check.update(message);
      return check.verify(signatureBytes);
    } catch (GeneralSecurityException e) {
      signature = null; // its state is undefined after a failure
      return false;
    }
  }

  private static final class KeyPairSigner implements Signer {
    private final PublicIdentity identity;
    private final PrivateKey privateKey;

    KeyPairSigner(KeyPair pair) {
      this.identity = new PublicIdentity(pair.getPublic().getEncoded());
      this.privateKey = pair.getPrivate();
    }

    @Override
    public PublicIdentity identity() {
      return identity;
    }

    @Override
    public byte[] sign(byte[] message) {
      try {
        Signature s = Signature.getInstance(ALGORITHM);
        s.initSign(privateKey);
        s.update(message);
        return s.sign();
      } catch (SignatureException e) {
        throw new IllegalStateException("the private key does not sign", e);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("this Java platform has no Ed25519", e);
      }
    }
  }
}
