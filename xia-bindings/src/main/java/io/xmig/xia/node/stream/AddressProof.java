package io.xmig.xia.node.stream;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Proves that an address update comes from the peer that set the connection up: a MAC under a key
 * made of what both ends put into the handshake.
 *
 * <p>This keeps out everybody who did not see the handshake. Who did see it could forge updates;
 * keys bound to the SIDs (self-certifying identifiers) would take this class's place, with the same
 * two methods.
 *
 * @source FIPS 198-1 (HMAC), truncated to 128 bits as RFC 2104 section 5 allows
 */
final class AddressProof {
  private static final String ALGORITHM = "HmacSHA256";

  private final SecretKeySpec key;
  private final boolean client;

  AddressProof(
      byte[] clientShare, byte[] serverShare, long clientToken, long serverToken, boolean client) {
    this.client = client;
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update("xmig stream address update 1".getBytes(StandardCharsets.US_ASCII));
      digest.update(clientShare);
      digest.update(serverShare);
      digest.update(ByteBuffer.allocate(16).putLong(clientToken).putLong(serverToken).array());
      this.key = new SecretKeySpec(digest.digest(), ALGORITHM);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /**
   * The MAC over an update.
   *
   * @param mine whether this end makes the statement, else the peer
   * @param answer whether it is the confirmation
   * @param address the nodes of the address as on the wire; empty for a confirmation
   */
  byte[] mac(boolean mine, boolean answer, long sequence, int maxPacket, byte[] address) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update((byte) ((mine == client ? 0 : 1) | (answer ? 2 : 0)));
      mac.update(ByteBuffer.allocate(12).putLong(sequence).putInt(maxPacket).array());
      byte[] full = mac.doFinal(address);
      return java.util.Arrays.copyOf(full, StreamHeader.MAC_LENGTH);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has HMAC-SHA256", e);
    }
  }

  /** Whether the peer made this statement. */
  boolean isFromPeer(byte[] given, boolean answer, long sequence, int maxPacket, byte[] address) {
    return MessageDigest.isEqual(given, mac(false, answer, sequence, maxPacket, address));
  }
}
