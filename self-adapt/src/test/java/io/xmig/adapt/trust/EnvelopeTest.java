package io.xmig.adapt.trust;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.signal.SignedBeacon;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.KeyFiles;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import io.xmig.xia.wire.XhcpBeacon;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EnvelopeTest {
  private static final Signer VM = Ed25519.generate();
  private static final Signer HOST = Ed25519.generate();
  private static final Xid AD = Xid.parse("AD:" + "1".repeat(40));
  private static final long NOW_S = 1_800_000_000L;
  private final Verifier verifier = new Ed25519();

  private static Location location(Signer whose) {
    return new Location(
        whose.identity().hid(),
        AD,
        HOST.identity().hid(),
        NOW_S * 1_000_000,
        0x525400123456L,
        60,
        0,
        List.of(Xid.parse("AD:" + "2".repeat(40))));
  }

  private static Envelope copy(Envelope envelope) {
    return Envelope.decode(ByteBuffer.wrap(envelope.encode()));
  }

  @Test
  void aStatementSurvivesTheWireAndIsTheHosts() {
    Envelope read = copy(location(VM).seal(VM, null, 7));
    read.check(verifier, Delegation.SCOPE_LOCATION, NOW_S);
    assertThat(Location.of(read)).isEqualTo(location(VM));
    assertThat(read.sequence()).isEqualTo(7);
  }

  @Test
  void everyBitOfAStatementIsCoveredByItsSignature() {
    byte[] bytes = location(VM).seal(VM, null, 7).encode();
    Random random = new Random(1);
    for (int i = 0; i < 60; i++) {
      byte[] altered = bytes.clone();
      altered[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      assertThatThrownBy(
              () -> {
                Envelope read = Envelope.decode(ByteBuffer.wrap(altered));
                read.check(verifier, Delegation.SCOPE_LOCATION, NOW_S);
                Location.of(read);
              })
          .isInstanceOf(RefusedException.class);
    }
  }

  @Test
  void anotherKeyCannotSayWhereAHostIs() {
    Envelope lie = copy(location(VM).seal(HOST, null, 7));
    assertThatThrownBy(() -> Location.of(lie))
        .isInstanceOfSatisfying(
            RefusedException.class, e -> assertThat(e.refusal()).isEqualTo(Refusal.NOT_OWNER));
  }

  @Test
  void aDelegateSpeaksForTheHostWithinScopeAndTimeOnly() {
    Delegation leave =
        Delegation.issue(VM, HOST.identity(), Delegation.SCOPE_LOCATION, NOW_S - 10, NOW_S + 10);
    Envelope said = copy(location(VM).seal(HOST, leave, 7));
    said.check(verifier, Delegation.SCOPE_LOCATION, NOW_S);
    assertThat(Location.of(said).hid()).isEqualTo(VM.identity().hid());
    assertRefused(() -> said.check(verifier, Delegation.SCOPE_NAMES, NOW_S), Refusal.DELEGATION);
    assertRefused(
        () -> said.check(verifier, Delegation.SCOPE_LOCATION, NOW_S + 10), Refusal.DELEGATION);
    assertRefused(
        () -> said.check(verifier, Delegation.SCOPE_LOCATION, NOW_S - 11), Refusal.DELEGATION);
    Signer thief = Ed25519.generate();
    Envelope stolen = copy(location(VM).seal(thief, leave, 8));
    assertRefused(
        () -> stolen.check(verifier, Delegation.SCOPE_LOCATION, NOW_S), Refusal.DELEGATION);
    Delegation own =
        Delegation.issue(thief, thief.identity(), Delegation.SCOPE_LOCATION, 0, Long.MAX_VALUE);
    assertRefused(() -> Location.of(copy(location(VM).seal(thief, own, 9))), Refusal.NOT_OWNER);
  }

  private static void assertRefused(Runnable work, Refusal reason) {
    assertThatThrownBy(work::run)
        .isInstanceOfSatisfying(
            RefusedException.class, e -> assertThat(e.refusal()).isEqualTo(reason));
  }

  @Test
  void aReplayGuardTellsNewFromRepeatedFromOldFromContradicting() {
    ReplayGuard guard = new ReplayGuard(2, 1000);
    Xid a = Xid.parse("HID:" + "a".repeat(40));
    Xid b = Xid.parse("HID:" + "b".repeat(40));
    Xid c = Xid.parse("HID:" + "c".repeat(40));
    assertThat(guard.check(a, 5000, 1, 5100)).isEqualTo(ReplayGuard.Verdict.NEW);
    guard.accept(a, 5000, 1, 0);
    assertThat(guard.check(a, 5000, 1, 99_000)).isEqualTo(ReplayGuard.Verdict.REPEATED);
    assertRefused(() -> guard.check(a, 5000, 2, 5100), Refusal.CONFLICT);
    assertRefused(() -> guard.check(a, 4999, 1, 5100), Refusal.STALE);
    assertRefused(() -> guard.check(a, 6102, 1, 5100), Refusal.CLOCK);
    assertRefused(() -> guard.check(b, 4000, 1, 5100), Refusal.CLOCK);
    guard.accept(b, 5000, 1, 0);
    guard.accept(c, 5000, 1, 0);
    assertThat(guard.size()).isEqualTo(2);
    assertRefused(() -> guard.check(a, 5000, 1, 99_000), Refusal.CLOCK);
  }

  @Test
  void aSignedBeaconIsAV11BeaconToAV11Client() {
    XhcpBeacon v1 =
        new XhcpBeacon(3, AD, HOST.identity().hid(), Xid.NULL_4ID, "RE " + AD + " " + Xid.SID_NS);
    SignedBeacon beacon =
        SignedBeacon.seal(v1, HOST, null, 77, 1000, 60, List.of(5L), List.of(0x525400123456L));
    byte[] bytes = beacon.encode();
    assertThat(bytes.length).isLessThan(1024);
    assertThat(XhcpBeacon.decode(ByteBuffer.wrap(bytes))).isEqualTo(v1);
    SignedBeacon read = SignedBeacon.decode(ByteBuffer.wrap(bytes));
    assertThat(read.nonces()).containsExactly(5L);
    assertThat(read.arrivals()).containsExactly(0x525400123456L);
    read.proof().check(verifier, Delegation.SCOPE_DOMAIN, NOW_S);
    bytes[10] ^= 1; // the AD, in the part that the envelope covers by its digest
    assertThatThrownBy(() -> SignedBeacon.decode(ByteBuffer.wrap(bytes)))
        .isInstanceOf(XiaException.class);
  }

  @Test
  void aDomainIsSpokenForByItsKeyItsDelegateOrWhomTheOperatorNames() {
    Xid own = HOST.identity().xid(XidType.AD);
    Envelope byHost = Envelope.seal(HOST, null, Envelope.KIND_BEACON, 1, new byte[1]);
    Envelope byVm = Envelope.seal(VM, null, Envelope.KIND_BEACON, 1, new byte[1]);
    DomainTrust.selfCertifying().check(own, byHost);
    assertRefused(() -> DomainTrust.selfCertifying().check(own, byVm), Refusal.UNTRUSTED);
    assertRefused(() -> DomainTrust.selfCertifying().check(AD, byHost), Refusal.UNTRUSTED);
    Delegation leave =
        Delegation.issue(HOST, VM.identity(), Delegation.SCOPE_DOMAIN, 0, Long.MAX_VALUE);
    DomainTrust.selfCertifying()
        .check(own, Envelope.seal(VM, leave, Envelope.KIND_BEACON, 1, new byte[1]));
    DomainTrust named = DomainTrust.of(Map.of(AD, Set.of(VM.identity().hid())));
    named.check(AD, byVm);
    assertRefused(() -> named.check(AD, byHost), Refusal.UNTRUSTED);
    assertRefused(() -> named.check(own, byHost), Refusal.UNTRUSTED);
    assertThatThrownBy(() -> DomainTrust.parse(List.of("AD:12=HID:34")))
        .isInstanceOf(XiaException.class);
  }

  @Test
  void keyFilesAreReadBackAndMixedUpPairsAreNot(@TempDir Path directory) throws Exception {
    Path one = KeyFiles.create(directory);
    Path two = KeyFiles.create(directory);
    Signer signer = KeyFiles.load(one);
    assertThat(signer.identity().hid().idHex()).isEqualTo(one.getFileName().toString());
    assertThat(KeyFiles.loadPublic(Path.of(one + ".pub"))).isEqualTo(signer.identity());
    Files.copy(
        Path.of(two + ".pub"),
        Path.of(one + ".pub"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> KeyFiles.load(one)).hasMessageContaining("do not belong together");
    Files.writeString(two, "nonsense");
    assertThatThrownBy(() -> KeyFiles.load(two)).hasMessageContaining("PEM");
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void anyBytesEitherParseOrAreRefused(long seed) {
    Random random = new Random(seed);
    byte[] genuine =
        random.nextBoolean()
            ? new Signal.Repoint(AD, location(VM).seal(VM, null, 7)).encode()
            : new Signal.Register(location(VM).seal(VM, null, 7)).encode();
    byte[] bytes = genuine;
    if (random.nextInt(4) == 0) {
      bytes = new byte[random.nextInt(300)];
      random.nextBytes(bytes);
    } else {
      for (int i = random.nextInt(6); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
    }
    try {
      assertThat(Signal.decode(ByteBuffer.wrap(bytes))).isNotNull();
    } catch (RefusedException expected) {
      assertThat(expected.refusal()).isEqualTo(Refusal.MALFORMED);
    }
    try {
      assertThat(SignedBeacon.decode(ByteBuffer.wrap(bytes))).isNotNull();
    } catch (XiaException expected) {
      assertThat(expected.getMessage()).isNotBlank();
    }
  }
}
