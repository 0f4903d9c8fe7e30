package io.xmig.testbed.attack;

import io.xmig.adapt.service.AdaptServices;
import io.xmig.testbed.workload.CalServer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.Signer;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.UnixLink;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.wire.EthernetFlyweight;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;

/**
 * Somebody plugged in at every segment of a run, with a key of its own: hears what is broadcast,
 * replays and alters it, and lies about the VM to hosts, gateways, routers and the name server.
 * Counts what it tried, and frames of the VM's traffic that somebody sent to it.
 *
 * <p>It keeps to its own Ethernet address: what a station does to its own switch is not prevented
 * by signatures (docs/self-adaptation.md).
 *
 * @threading any; it has a loop of its own
 */
public final class Attacker implements AutoCloseable {
  private static final int MAX_RECORDED = 400;
  private static final int MIN_RECORDED_BYTES = 100;
  private static final int MTU = 1500;
  private static final long MAC = 0x0200_0000_ee00L;

  /** A segment to stand on, with the domain and the gateway there. */
  public record Foothold(Path plug, Xid ad, Xid gateway) {}

  /**
   * What it did.
   *
   * @param attempts messages by the name of the attack
   * @param stolen frames of the VM's traffic that came to it
   */
  public record Tally(Map<String, Long> attempts, long stolen) {
    /** Messages in all. */
    public long total() {
      return attempts.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  private final NodeLoop loop = NodeLoop.start("attacker");
  private final Signer key = Ed25519.generate();
  private final Random random;
  private final Forgery forgery;
  private final long pauseNs;
  private final List<Foot> feet = new ArrayList<>();
  private final List<byte[]> signals = new ArrayList<>(); // beacons, registrations, routing …
  private final List<byte[]> segments =
      new ArrayList<>(); // of the VM's connection, news of moves too
  private final Map<Attack, Long> attempts = new EnumMap<>(Attack.class);
  private long stolen;
  private int turn;

  /** One segment. */
  private record Foot(Forgery.Place place, UnixLink link, DatagramSocket socket, long mac) {}

  private Attacker(Random random, Xid victim, String name, Dag nameServer, Duration pause) {
    this.random = random;
    this.forgery = new Forgery(key, victim, name, nameServer);
    this.pauseNs = pause.toNanos();
  }

  /**
   * Begins to attack.
   *
   * @param directory for its sockets, beside the plugs
   * @param victim HID of the VM
   * @param name the VM's name
   * @param pause between two attacks
   */
  public static Attacker start(
      Path directory,
      List<Foothold> footholds,
      Xid victim,
      String name,
      Dag nameServer,
      Duration pause,
      long seed) {
    Attacker attacker = new Attacker(new Random(seed), victim, name, nameServer, pause);
    try {
      for (int i = 0; i < footholds.size(); i++) {
        attacker.step(directory.resolve("attacker-" + i + ".sock"), footholds.get(i), MAC + i);
      }
      attacker.loop.execute(attacker::strike);
      return attacker;
    } catch (RuntimeException e) {
      attacker.close();
      throw e;
    }
  }

  private void step(Path socket, Foothold where, long mac) {
    Random chance = new Random(random.nextLong());
    try {
      NodeStack stack =
          loop.call(
                  () -> {
                    UnixLink link =
                        UnixLink.plugged(loop, LinkOptions.ofMtu(MTU), socket, where.plug());
                    loop.own(link);
                    XiaNode node =
                        new XiaNode(
                            NodeConfig.host(
                                "attacker",
                                new LocalAddress(where.ad(), key.identity().hid(), null),
                                mac),
                            loop,
                            chance);
                    node.attach(0, link);
                    link.receiver(
                        frame -> {
                          hear(frame, mac);
                          node.receive(0, frame);
                        });
                    NodeStack made = new NodeStack(node);
                    made.writeHandler("./xrc/n/proc/rt_HID.set4", "-,0," + where.gateway() + ",0");
                    made.writeHandler("./xrc/n/proc/rt_AD.set4", "-,0," + where.gateway() + ",0");
                    made.openDatagram(null, (source, payload, port) -> {})
                        .thenAccept(
                            opened ->
                                feet.add(
                                    new Foot(
                                        new Forgery.Place(where.ad(), where.gateway()),
                                        link,
                                        opened,
                                        mac)));
                    return made;
                  })
              .get();
      loop.call(() -> stack.localAddress()).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the attacker cannot join " + where.plug(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private void hear(ByteBuffer frame, long ownMac) {
    int start = frame.position();
    if (frame.remaining() < MIN_RECORDED_BYTES
        || EthernetFlyweight.type(frame, start) != EthernetFlyweight.TYPE_XIP) {
      return;
    }
    byte[] copy = new byte[frame.remaining()];
    frame.duplicate().get(copy);
    if (EthernetFlyweight.mac(frame, start) == ownMac && contains(copy, forgery.victim().idHex())) {
      stolen++;
    }
    boolean signal = EthernetFlyweight.mac(frame, start) == EthernetFlyweight.BROADCAST;
    if (!signal && !contains(copy, CalServer.STREAM_SID.idHex())) {
      return; // datagrams and pings of applications, which nobody signs
    }
    List<byte[]> kept = signal ? signals : segments;
    if (kept.size() < MAX_RECORDED) {
      kept.add(copy);
    } else {
      kept.set(random.nextInt(MAX_RECORDED), copy);
    }
  }

  private static boolean contains(byte[] frame, String idHex) {
    return java.util.HexFormat.of().formatHex(frame).contains(idHex);
  }

  private void strike() {
    Attack attack = Attack.values()[turn++ % Attack.values().length];
    Foot foot = feet.get(random.nextInt(feet.size()));
    Xid otherAd = feet.get(random.nextInt(feet.size())).place.ad();
    long now = AdaptServices.epochMicros();
    switch (attack) {
      case REPLAY -> replay(foot, false);
      case ALTERED_REPLAY -> replay(foot, true);
      case FORGED_REGISTRATION ->
          send(attack, foot, List.of(forgery.registration(foot.place, random, now)));
      case UNSIGNED_REGISTRATION -> send(attack, foot, List.of(forgery.unsignedRegistration()));
      case FORGED_REPOINT -> send(attack, foot, forgery.repoint(foot.place, otherAd, random, now));
      case FORGED_ROUTING -> send(attack, foot, forgery.routing(otherAd, now));
      case FORGED_BEACON ->
          send(attack, foot, List.of(forgery.beacon(foot.place, otherAd, random, now)));
      case FORGED_NAME -> send(attack, foot, List.of(forgery.name(foot.place, random, now)));
      case FORGED_MOVE -> forgeMove(foot, otherAd);
    }
    loop.schedule(pauseNs, this::strike);
  }

  private void replay(Foot foot, boolean altered) {
    List<byte[]> recorded = altered || random.nextBoolean() ? signals : segments;
    if (recorded.isEmpty()) {
      return;
    }
    byte[] frame = recorded.get(random.nextInt(recorded.size())).clone();
    ByteBuffer out = ByteBuffer.wrap(frame);
    EthernetFlyweight.write(
        out, 0, EthernetFlyweight.BROADCAST, foot.mac, EthernetFlyweight.TYPE_XIP);
    if (altered) {
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        int at = EthernetFlyweight.LENGTH + random.nextInt(frame.length - EthernetFlyweight.LENGTH);
        frame[at] ^= (byte) (1 << random.nextInt(8));
      }
    }
    foot.link.frame(out);
    attempts.merge(altered ? Attack.ALTERED_REPLAY : Attack.REPLAY, 1L, Long::sum);
  }

  private void forgeMove(Foot foot, Xid otherAd) {
    Dag here = Dag.path(foot.place.ad(), key.identity().hid(), CalServer.STREAM_SID);
    ForgedMove.Target target =
        segments.isEmpty() || random.nextBoolean()
            ? null
            : ForgedMove.heardIn(segments.get(random.nextInt(segments.size())));
    if (target == null) {
      Dag service = Dag.path(otherAd, forgery.victim(), CalServer.STREAM_SID);
      target = ForgedMove.unheard(service, here, random);
    }
    foot.link.frame(ByteBuffer.wrap(ForgedMove.frame(target, here, foot.mac, random)));
    attempts.merge(Attack.FORGED_MOVE, 1L, Long::sum);
  }

  private void send(Attack attack, Foot foot, List<Forgery.Letter> letters) {
    for (Forgery.Letter letter : letters) {
      try {
        foot.socket.send(letter.to(), ByteBuffer.wrap(letter.bytes()));
        attempts.merge(attack, 1L, Long::sum);
      } catch (XiaSocketException e) {
        // this one could not be told; the next one will
      }
    }
  }

  /** What it has done so far. */
  public Tally tally() {
    try {
      return loop.call(
              () -> {
                Map<String, Long> named = new TreeMap<>();
                attempts.forEach((attack, count) -> named.put(attack.word(), count));
                return new Tally(named, stolen);
              })
          .get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    loop.close();
  }
}
