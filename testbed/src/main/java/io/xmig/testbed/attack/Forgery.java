package io.xmig.testbed.attack;

import io.xmig.adapt.names.NameStatement;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.signal.SignedBeacon;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.wire.NameServiceMessage;
import io.xmig.xia.wire.RoutingMessage;
import io.xmig.xia.wire.XhcpBeacon;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Messages that are well formed and lies.
 *
 * @param key the liar's
 * @param victim the host it lies about
 * @param name a name of the victim
 * @param nameServer address of the name service
 */
record Forgery(Signer key, Xid victim, String name, Dag nameServer) {
  private static final int LIFETIME_S = 60;

  /** Where a lie is told. */
  record Place(Xid ad, Xid gateway) {}

  /** Somebody to send bytes to. */
  record Letter(Dag to, byte[] bytes) {}

  Letter registration(Place here, RandomGenerator random, long epochMicros) {
    Envelope lie = location(here, List.of(), random, epochMicros);
    return new Letter(Dag.path(Xid.BHID, Signal.SID_ADAPT), new Signal.Register(lie).encode());
  }

  Letter unsignedRegistration() {
    return new Letter(
        Dag.path(Xid.BHID, Xid.SID_XROUTE), new RoutingMessage.HostRegister(victim).encode());
  }

  List<Letter> repoint(Place here, Xid otherAd, RandomGenerator random, long epochMicros) {
    Envelope lie =
        location(new Place(otherAd, here.gateway), List.of(here.ad), random, epochMicros);
    Dag gateway = Dag.path(here.gateway, Signal.SID_ADAPT);
    return List.of(
        new Letter(gateway, new Signal.Repoint(here.ad, lie).encode()),
        new Letter(gateway, new Signal.Withdraw(lie).encode()));
  }

  List<Letter> routing(Xid otherAd, long epochMicros) {
    byte[] hello = new RoutingMessage.Hello(otherAd, key.identity().hid()).encode();
    return List.of(
        new Letter(Dag.path(Xid.BHID, Xid.SID_XROUTE), hello),
        new Letter(
            Dag.path(Xid.BHID, Signal.SID_ADAPT),
            new Signal.Routing(Envelope.seal(key, null, Envelope.KIND_ROUTING, epochMicros, hello))
                .encode()));
  }

  Letter beacon(Place here, Xid otherAd, RandomGenerator random, long epochMicros) {
    XhcpBeacon plain =
        new XhcpBeacon(
            random.nextInt(),
            otherAd,
            random.nextBoolean() ? key.identity().hid() : here.gateway,
            Xid.NULL_4ID,
            nameServer.toString());
    byte[] bytes =
        random.nextBoolean()
            ? plain.encode()
            : SignedBeacon.seal(
                    plain, key, null, epochMicros, 1000, LIFETIME_S, List.of(), List.of())
                .encode();
    return new Letter(Dag.path(Xid.BHID, Xid.SID_XHCP), bytes);
  }

  Letter name(Place here, RandomGenerator random, long epochMicros) {
    Dag mine = Dag.path(here.ad, key.identity().hid());
    return new Letter(
        nameServer,
        random.nextBoolean()
            ? new NameServiceMessage(NameServiceMessage.Type.REGISTER, name, mine.toString())
                .encode()
            : new NameStatement(name, mine, 0).seal(key, null, epochMicros).encode());
  }

  private Envelope location(
      Place there, List<Xid> former, RandomGenerator random, long epochMicros) {
    Location lie =
        new Location(victim, there.ad, there.gateway, epochMicros, 0, LIFETIME_S, 0, former);
    Delegation toMyself =
        random.nextBoolean()
            ? null
            : Delegation.issue(key, key.identity(), Delegation.SCOPE_LOCATION, 0, Long.MAX_VALUE);
    return lie.seal(key, toMyself, epochMicros + random.nextInt(1_000_000));
  }
}
