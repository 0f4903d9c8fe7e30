package io.xmig.adapt.lab;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.Route;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One seed's story: a network, a machine that moves again and again, links that lose, daemons that
 * restart, perhaps an attacker; then quiet.
 */
public final class Ordeal {
  private static final Duration LIFETIME = Duration.ofSeconds(15);

  public final Domains lab;
  public final @Nullable Attacker attacker;
  private final SplittableRandom random;
  private final List<SimLink> wan = new ArrayList<>();
  private final LinkProfile good;
  private final LinkProfile bad;
  private final LinkProfile badLocal;
  private final Twin twin;
  private final List<Integer> visited = new ArrayList<>();
  private final Set<Domains.Domain> silent = new LinkedHashSet<>();

  /** Sets the scene. */
  public Ordeal(long seed, boolean withAttacker) {
    SimNetwork net = new SimNetwork(seed);
    random = new SplittableRandom(seed * 31 + 7);
    int count = 2 + random.nextInt(3);
    lab =
        new Domains(
            net, count, LinkProfile.delay(Duration.ofNanos(50_000 + random.nextInt(500_000))));
    good = LinkProfile.delayMs(1 + random.nextInt(15));
    bad =
        good.withLoss(random.nextDouble() * 0.2)
            .withJitter(Duration.ofMillis(random.nextInt(5)))
            .withReorder(random.nextDouble() * 0.1, Duration.ofMillis(10))
            .withDuplicate(random.nextDouble() * 0.1)
            .withCorrupt(random.nextDouble() * 0.02);
    badLocal =
        lab.local
            .withLoss(random.nextDouble() * 0.3)
            .withReorder(random.nextDouble() * 0.2, Duration.ofMillis(30))
            .withDuplicate(random.nextDouble() * 0.2);
    twin = new Twin(lab);
    for (int i = 1; i < count; i++) {
      wan.add(lab.join(random.nextInt(i), i, good));
    }
    if (count > 2 && random.nextBoolean()) {
      wan.add(lab.join(0, count - 1, good)); // a second way round, often of equal length
    }
    attacker = withAttacker ? new Attacker(lab, random.nextInt(count), net.newRandom()) : null;
    int first = random.nextInt(count);
    visited.add(first);
    lab.plugVm(first);
    lab.start(g -> g.withTimes(Duration.ofSeconds(1), LIFETIME), a -> a.withLifetime(LIFETIME));
    net.run(Duration.ofSeconds(2));
  }

  /** Moves, faults and attacks. */
  public void trouble() {
    wan.forEach(link -> link.profile(bad));
    if (random.nextBoolean()) {
      lab.vmProfile = badLocal; // registrations get lost, or arrive late and out of order
    }
    int moves = 1 + random.nextInt(5);
    for (int i = 0; i < moves; i++) {
      fault();
      int to = random.nextInt(lab.domains.size());
      lab.stopVm();
      pass(random.nextInt(300));
      visited.add(to);
      switch (random.nextInt(4)) {
        case 0 -> lab.plugVm(to);
        default -> lab.resumeVm(to);
      }
      pass(random.nextInt(10) < 4 ? random.nextInt(40) : random.nextInt(4000));
    }
    wan.forEach(
        link -> {
          link.heal();
          link.profile(good);
        });
    lab.vmProfile = lab.local;
    lab.vmLink.profile(lab.local);
    twin.stop();
    for (Domains.Domain d : lab.domains) {
      d.refusing = false;
      if (silent.remove(d)) {
        startGateway(d);
      }
    }
    if (lab.nameServer == null) {
      lab.startNameServer();
    }
  }

  private Domains.Domain anyDomain() {
    return lab.domains.get(random.nextInt(lab.domains.size()));
  }

  private void startGateway(Domains.Domain d) {
    silent.remove(d);
    d.gateway = lab.newGateway(d, g -> g.withTimes(Duration.ofSeconds(1), LIFETIME));
    lab.net.await(d.gateway.start());
  }

  private void pass(int ms) {
    int left = ms;
    do {
      Attacker a = attacker;
      if (a != null) {
        a.strike();
        a.strike();
      }
      lab.probe(random.nextInt(lab.domains.size()), visited.get(random.nextInt(visited.size())));
      int step = Math.min(left, 50);
      lab.net.run(Duration.ofMillis(step));
      left -= step;
    } while (left > 0);
  }

  private void fault() {
    switch (random.nextInt(11)) {
      case 0 -> {
        SimLink link = wan.get(random.nextInt(wan.size()));
        link.cut();
        lab.net.loop().schedule(random.nextInt(6000) * 1_000_000L, link::heal);
      }
      case 1 -> {
        Domains.Domain d = anyDomain();
        d.gateway.close();
        startGateway(d);
      }
      case 2 -> {
        if (lab.nameServer != null) {
          lab.nameServer.close();
          lab.nameServer = null;
        } else {
          lab.startNameServer();
        }
      }
      case 3 -> lab.restartAgent(a -> a.withLifetime(LIFETIME));
      case 4 -> twin.run(random.nextInt(lab.domains.size()), LIFETIME);
      case 5 -> {
        Domains.Domain d = anyDomain();
        d.refusing = !d.refusing;
      }
      case 6 -> {
        Domains.Domain d = anyDomain();
        if (silent.add(d)) {
          d.gateway.close();
        }
      }
      default -> {
        // a quiet stretch
      }
    }
  }

  /** Routers' entries for the machine that their services do not know of, as text. */
  public List<String> misleadingEntries() {
    List<String> found = new ArrayList<>();
    Xid hid = lab.vmKey.identity().hid();
    for (Domains.Domain d : lab.domains) {
      Route entry = d.router.routes(XidType.HID).find(hid);
      boolean known = d.gateway.hosts().all().stream().anyMatch(host -> host.hid().equals(hid));
      if (entry != null && !known) {
        found.add(d.number + ": " + entry);
      }
    }
    return found;
  }

  /** Domains that the machine has been in, in order. */
  public List<Integer> visited() {
    return visited;
  }

  /** What an attacker does while all is quiet. */
  public void strikeOn(Duration time) {
    Attacker a = attacker;
    for (long ms = 0; ms < time.toMillis(); ms += 20) {
      if (a != null) {
        a.strike();
      }
      lab.net.run(Duration.ofMillis(20));
    }
  }
}
