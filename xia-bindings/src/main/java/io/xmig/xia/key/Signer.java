package io.xmig.xia.key;

/** Holds a private key and signs with it. */
public interface Signer {
  /** The public half. */
  PublicIdentity identity();

  /** A signature over the whole message. */
  byte[] sign(byte[] message);
}
