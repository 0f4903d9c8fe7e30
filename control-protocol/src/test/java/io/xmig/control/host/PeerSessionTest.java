package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.host.PeerSession.RefusedException;
import io.xmig.control.host.v1.Commit;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.SignedMessage;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.Signer;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Host services believe only whom they should, and only what that one has said here and now. */
class PeerSessionTest {
  private static final Signer A = Ed25519.generate();
  private static final Signer B = Ed25519.generate();
  private static final Signer MALLORY = Ed25519.generate();
  private static final HandoffMessage COMMIT =
      HandoffMessage.newBuilder().setHandoff("h").setCommit(Commit.getDefaultInstance()).build();

  private final Random random = new Random(7);

  private static PeerTrust keyed(Signer own, Signer... accepted) {
    return new PeerTrust(
        own,
        new Ed25519(),
        Set.of(List.of(accepted).stream().map(s -> s.identity().hid()).toArray(Xid[]::new)),
        false);
  }

  private byte[] nonce() {
    byte[] nonce = new byte[PeerSession.NONCE_BYTES];
    random.nextBytes(nonce);
    return nonce;
  }

  private PeerSession opener(PeerTrust trust, Xid... dialled) {
    return PeerSession.opener(trust, List.of(dialled), nonce());
  }

  private PeerSession acceptor(PeerTrust trust) {
    return PeerSession.acceptor(trust, nonce());
  }

  private static void meet(PeerSession one, PeerSession other) throws Exception {
    assertThat(one.open(other.greeting())).isEmpty();
    assertThat(other.open(one.greeting())).isEmpty();
  }

  private static String refusal(PeerSession by, PeerSession of) {
    try {
      by.open(of.greeting());
      return "";
    } catch (RefusedException e) {
      return String.valueOf(e.getMessage());
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void hostsThatAcceptEachOtherTalk() throws Exception {
    PeerSession a = opener(keyed(A, B));
    PeerSession b = acceptor(keyed(B, A));
    meet(a, b);

    assertThat(a.peer()).isEqualTo(B.identity().hid().toString());
    assertThat(b.peer()).isEqualTo(A.identity().hid().toString());
    for (int i = 0; i < 3; i++) {
      assertThat(b.open(a.seal(COMMIT))).contains(COMMIT);
      assertThat(a.open(b.seal(COMMIT))).contains(COMMIT);
    }
  }

  @Test
  void theAddressThatWasDialledIsBelievedIfItIsTheHashOfTheKey() {
    assertThat(refusal(opener(keyed(A), B.identity().hid()), acceptor(keyed(B)))).isEmpty();
    assertThat(refusal(opener(keyed(A), B.identity().hid()), acceptor(keyed(MALLORY))))
        .contains("is not accepted here")
        .contains(MALLORY.identity().hid().toString());
  }

  @Test
  void whoeverIsNotAcceptedIsTold() {
    assertThat(refusal(acceptor(keyed(B, A)), opener(keyed(MALLORY))))
        .contains("--accept-from " + MALLORY.identity().hid());
    assertThat(refusal(acceptor(keyed(B, A)), opener(PeerTrust.unsigned()))).contains("has no key");
    assertThat(refusal(acceptor(PeerTrust.unsigned()), opener(PeerTrust.unsigned()))).isEmpty();
  }

  @Test
  void aKeyThatSomebodyElseHoldsIsOfNoUse() throws Exception {
    PeerSession b = acceptor(keyed(B, A));
    // says that it is A
    Signer pretender =
        new Signer() {
          @Override
          public io.xmig.xia.key.PublicIdentity identity() {
            return A.identity();
          }

          @Override
          public byte[] sign(byte[] message) {
            return MALLORY.sign(message);
          }
        };
    PeerSession mallory = opener(keyed(pretender, B));
    meet(mallory, b);

    assertThatThrownBy(() -> b.open(mallory.seal(COMMIT)))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("not signed");
  }

  @Test
  void whatWasSaidOnAnotherConnectionInAnotherPlaceOrTheOtherWayIsRefused() throws Exception {
    PeerSession a = opener(keyed(A, B));
    PeerSession b = acceptor(keyed(B, A));
    meet(a, b);
    SignedMessage first = a.seal(COMMIT);
    SignedMessage second = a.seal(COMMIT);

    assertThatThrownBy(() -> b.open(second)).isInstanceOf(RefusedException.class);
    assertThatThrownBy(() -> a.open(first)).isInstanceOf(RefusedException.class);
    assertThat(b.open(first)).contains(COMMIT);
    assertThatThrownBy(() -> b.open(first)).isInstanceOf(RefusedException.class);

    PeerSession later = acceptor(keyed(B, A));
    later.open(a.greeting());
    assertThatThrownBy(() -> later.open(first)).isInstanceOf(RefusedException.class);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void noFlippedBitGetsThrough(long seed) throws Exception {
    Random flips = new Random(seed);
    PeerSession a = opener(keyed(A, B));
    PeerSession b = acceptor(keyed(B, A));
    meet(a, b);
    byte[] bytes = a.seal(COMMIT).toByteArray();
    bytes[flips.nextInt(bytes.length)] ^= (byte) (1 << flips.nextInt(8));

    try {
      SignedMessage spoilt = SignedMessage.parseFrom(bytes);
      assertThatThrownBy(() -> b.open(spoilt)).isInstanceOf(RefusedException.class);
    } catch (InvalidProtocolBufferException refused) {
      assertThat(refused).hasMessageNotContaining("null");
    }
  }

  @Test
  void aGreetingThatIsNoneIsRefused() {
    for (ByteString bytes : List.of(ByteString.EMPTY, COMMIT.toByteString())) {
      SignedMessage message = SignedMessage.newBuilder().setMessage(bytes).build();
      assertThatThrownBy(() -> acceptor(PeerTrust.unsigned()).open(message))
          .isInstanceOfAny(RefusedException.class, InvalidProtocolBufferException.class);
    }
  }
}
