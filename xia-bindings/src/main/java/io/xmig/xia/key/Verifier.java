package io.xmig.xia.key;

/** Checks signatures. Never throws for what a peer sent: a key that is none verifies nothing. */
@FunctionalInterface
public interface Verifier {
  /** Whether {@code signature} was made over {@code message} with the private half of the key. */
  boolean verify(PublicIdentity key, byte[] message, byte[] signature);
}
