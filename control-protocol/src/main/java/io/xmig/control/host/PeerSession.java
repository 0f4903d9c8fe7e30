package io.xmig.control.host;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.host.v1.Greeting;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.SignedMessage;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.PublicIdentity;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;
import org.jspecify.annotations.Nullable;

/**
 * One connection between two host services: says who this one is, finds out who the other one is,
 * signs what goes out and lets nothing in that the other one has not signed for this connection and
 * this place in it.
 *
 * <p>Pure: no input or output, no clock; randomness is an argument.
 *
 * @threading one thread
 * @source docs/handoff.md, "Who may hand over"
 */
final class PeerSession {
  /** Bounds what a peer can make this side allocate; a kernel command line is the largest part. */
  static final int MAX_MESSAGE_BYTES = 16 * 1024;

  static final int NONCE_BYTES = 32;
  private static final int VERSION = 1;
  private static final byte[] CONTEXT = "xmig handoff 1\0".getBytes(StandardCharsets.US_ASCII);

  /** The other side is not who it must be; the connection is useless. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  private final PeerTrust trust;
  private final boolean opener;
  private final Collection<Xid> dialled;
  private final ByteString ownGreeting;
  private byte @Nullable [] transcript;
  private @Nullable PublicIdentity peer;
  private boolean believed;
  private long sent;
  private long received;

  private PeerSession(PeerTrust trust, boolean opener, Collection<Xid> dialled, byte[] nonce) {
    this.trust = trust;
    this.opener = opener;
    this.dialled = dialled;
    Greeting.Builder greeting =
        Greeting.newBuilder().setVersion(VERSION).setNonce(ByteString.copyFrom(nonce));
    if (trust.signer() != null) {
      greeting.setKey(ByteString.copyFrom(trust.signer().identity().key()));
    }
    this.ownGreeting = greeting.build().toByteString();
  }

  /**
   * The side that opens the connection.
   *
   * @param dialled nodes of the address that was dialled
   * @param nonce 32 random bytes
   */
  static PeerSession opener(PeerTrust trust, Collection<Xid> dialled, byte[] nonce) {
    return new PeerSession(trust, true, dialled, nonce);
  }

  /** The side that was dialled. */
  static PeerSession acceptor(PeerTrust trust, byte[] nonce) {
    return new PeerSession(trust, false, List.of(), nonce);
  }

  /** What is to be sent first, at once. */
  SignedMessage greeting() {
    return SignedMessage.newBuilder().setMessage(ownGreeting).build();
  }

  /** Whether the other side has said who it is, and may be that one. */
  boolean isEstablished() {
    return believed;
  }

  /** Whether messages can be sent, if only to say that the other side is not believed. */
  boolean canSeal() {
    return transcript != null;
  }

  /** The other side's identity, empty if it has no key. */
  String peer() {
    return peer == null ? "" : peer.hid().toString();
  }

  /** Signs a message. */
  SignedMessage seal(HandoffMessage message) {
    byte[] greetings = transcript;
    if (greetings == null) {
      throw new IllegalStateException("a message before the greeting");
    }
    ByteString bytes = message.toByteString();
    SignedMessage.Builder sealed = SignedMessage.newBuilder().setMessage(bytes);
    if (trust.signer() != null) {
      sealed.setSignature(
          ByteString.copyFrom(trust.signer().sign(toSign(opener, greetings, sent, bytes))));
    }
    sent++;
    return sealed.build();
  }

  /**
   * Takes what came.
   *
   * @return the message; empty for the greeting
   * @throws RefusedException if the other side is not to be believed
   * @throws InvalidProtocolBufferException if it is no message
   */
  Optional<HandoffMessage> open(SignedMessage sealed)
      throws RefusedException, InvalidProtocolBufferException {
    byte[] greetings = transcript;
    if (greetings == null) {
      greet(sealed.getMessage());
      return Optional.empty();
    }
    PublicIdentity signer = peer;
    if (signer != null
        && !trust
            .verifier()
            .verify(
                signer,
                toSign(!opener, greetings, received, sealed.getMessage()),
                sealed.getSignature().toByteArray())) {
      throw new RefusedException("a message of host " + signer.hid() + " is not signed by its key");
    }
    received++;
    return Optional.of(HandoffMessage.parseFrom(sealed.getMessage()));
  }

  private void greet(ByteString bytes) throws RefusedException, InvalidProtocolBufferException {
    Greeting greeting = Greeting.parseFrom(bytes);
    if (greeting.getVersion() != VERSION || greeting.getNonce().size() != NONCE_BYTES) {
      throw new RefusedException(
          "the other host service speaks version "
              + Integer.toUnsignedString(greeting.getVersion())
              + " of the hand-off, this one "
              + VERSION);
    }
    if (!greeting.getKey().isEmpty()) {
      if (greeting.getKey().size() > PublicIdentity.MAX_KEY_LENGTH) {
        throw new RefusedException("a key of " + greeting.getKey().size() + " bytes");
      }
      peer = new PublicIdentity(greeting.getKey().toByteArray());
    }
    ByteString first = opener ? ownGreeting : bytes;
    ByteString second = opener ? bytes : ownGreeting;
    ByteBuffer both = ByteBuffer.allocate(4 + first.size() + second.size()).putInt(first.size());
    first.copyTo(both);
    second.copyTo(both);
    transcript = DigestUtils.sha256(both.array());
    Optional<String> objection = trust.objection(peer, dialled);
    if (objection.isPresent()) {
      throw new RefusedException(objection.get());
    }
    believed = true;
  }

  private static byte[] toSign(
      boolean fromOpener, byte[] greetings, long number, ByteString message) {
    ByteBuffer text =
        ByteBuffer.allocate(CONTEXT.length + 1 + greetings.length + Long.BYTES + message.size())
            .put(CONTEXT)
            .put((byte) (fromOpener ? '>' : '<'))
            .put(greetings)
            .putLong(number);
    message.copyTo(text);
    return text.array();
  }
}
