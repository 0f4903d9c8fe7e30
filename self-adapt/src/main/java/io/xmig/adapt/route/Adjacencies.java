package io.xmig.adapt.route;

import io.xmig.adapt.signal.Hello;
import io.xmig.adapt.signal.Output;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.wire.RoutingMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Which routers are on which of our links. Each link has challenges of its own; a signed HELLO
 * counts if it repeats one that went out by the link it came in by, not long ago. A recording, or a
 * genuine HELLO from elsewhere, makes nobody a neighbour. A neighbour that is alive on one link is
 * not believed to be on another. HELLOs of v1.1 routers prove nothing and are taken as they are,
 * where that is allowed.
 *
 * @threading on the loop
 */
final class Adjacencies {
  /** Pause between HELLOs. */
  static final Duration PERIOD = Duration.ofSeconds(1);

  /** A neighbour that is silent for this long is gone. */
  static final Duration LIFETIME = Duration.ofMillis(3500);

  /** How old a challenge may be that a HELLO repeats. */
  static final Duration CHALLENGE_HOLDS = Duration.ofMillis(2500);

  private static final Dag EVERYBODY = Dag.path(Xid.BHID, Signal.SID_ADAPT);
  private static final int CHALLENGES = 4;
  private static final int MAX_NEIGHBOURS = 4096;
  private static final int HELLOS_PER_TOUCH = 20;
  private static final long REPLY_GAP_NS = 20_000_000L;

  /** The link of a node that does not let us choose. */
  private static final int ANY = -1;

  /**
   * One neighbour.
   *
   * @param signed whether it proved who it is
   */
  record Neighbour(Xid ad, Xid hid, int port, boolean signed, long heardNs) {}

  private record Heard(long sequence, long challenge, long atNs) {}

  private record Challenge(long value, long madeNs) {}

  /** One of our links. */
  private static final class Link {
    final java.util.ArrayDeque<Challenge> challenges = new java.util.ArrayDeque<>();
    final Map<Xid, Heard> heard = new LinkedHashMap<>();
    long sentNs = Long.MIN_VALUE / 2;
    EventLoop.@Nullable Timer reply;
  }

  private final EventLoop loop;
  private final Supplier<LocalAddress> address;
  private final Verifier verifier;
  private final DomainTrust trust;
  private final @Nullable Signer signer;
  private final @Nullable Delegation mandate;
  private final LongSupplier stamps;
  private final LongSupplier epochMicros;
  private final RandomGenerator random;
  private final Output output;
  private final Consumer<Neighbour> appeared;
  private final Map<Integer, Link> links = new HashMap<>();
  private final Map<Xid, Neighbour> neighbours = new TreeMap<>(); // by HID
  private int rounds;

  /**
   * @param signer key of the router, {@code null} to speak v1.1 only
   * @param random for challenges; must not be guessable outside simulations
   * @param appeared is told of every new neighbour
   */
  Adjacencies(
      EventLoop loop,
      Supplier<LocalAddress> address,
      Verifier verifier,
      DomainTrust trust,
      @Nullable Signer signer,
      @Nullable Delegation mandate,
      LongSupplier stamps,
      LongSupplier epochMicros,
      RandomGenerator random,
      Output output,
      Consumer<Neighbour> appeared) {
    this.loop = loop;
    this.address = address;
    this.verifier = verifier;
    this.trust = trust;
    this.signer = signer;
    this.mandate = mandate;
    this.stamps = stamps;
    this.epochMicros = epochMicros;
    this.random = random;
    this.output = output;
    this.appeared = appeared;
  }

  /** Says HELLO on every link, with new challenges. */
  void hello() {
    if (signer != null) {
      int count = output.links();
      for (int link = count == 0 ? ANY : 0; link < count; link++) {
        challenge(link(link));
        hello(link);
      }
    }
    if (++rounds % HELLOS_PER_TOUCH == 0) {
      neighbours.values().forEach(this::touch);
    }
  }

  private Link link(int number) {
    return links.computeIfAbsent(output.links() == 0 ? ANY : number, n -> new Link());
  }

  private void challenge(Link link) {
    link.challenges.addLast(new Challenge(random.nextLong(), loop.nanoTime()));
    if (link.challenges.size() > CHALLENGES) {
      link.challenges.removeFirst();
    }
  }

  private Envelope seal(Signer key, Link link) {
    long now = loop.nanoTime();
    link.heard.values().removeIf(h -> now - h.atNs > LIFETIME.toNanos());
    if (link.challenges.isEmpty()) {
      challenge(link);
    }
    Map<Xid, Long> answers = new LinkedHashMap<>();
    link.heard.forEach((hid, heard) -> answers.put(hid, heard.challenge));
    LocalAddress here = address.get();
    return new Hello(here.ad(), here.hid(), link.challenges.getLast().value, answers)
        .seal(key, mandate, stamps.getAsLong());
  }

  private void hello(int number) {
    Signer key = signer;
    if (key == null) {
      return;
    }
    Link link = link(number);
    link.sentNs = loop.nanoTime();
    ByteBuffer datagram = ByteBuffer.wrap(new Signal.Routing(seal(key, link)).encode());
    if (output.links() == 0) {
      output.send(EVERYBODY, datagram);
    } else {
      output.sendOn(number, EVERYBODY, datagram);
    }
  }

  /** Says HELLO on a link since somebody there waits for it, a few times a second at most. */
  private void replyOn(int number) {
    Link link = link(number);
    long since = loop.nanoTime() - link.sentNs;
    if (since >= REPLY_GAP_NS) {
      hello(number);
    } else if (link.reply == null) {
      link.reply =
          loop.schedule(
              REPLY_GAP_NS - since,
              () -> {
                link.reply = null;
                hello(number);
              });
    }
  }

  /**
   * A HELLO to one neighbour by its HID: the node resolves its Ethernet address now and keeps it,
   * so that the first urgent packet to it does not have to wait for that.
   */
  private void touch(Neighbour to) {
    Signer key = signer;
    if (key == null || !to.signed) {
      LocalAddress here = address.get();
      byte[] plain = new RoutingMessage.Hello(here.ad(), here.hid()).encode();
      output.send(Dag.path(to.hid, Xid.SID_XROUTE), plain);
    } else {
      Envelope hello = seal(key, link(to.port));
      output.send(Dag.path(to.hid, Signal.SID_ADAPT), new Signal.Routing(hello).encode());
    }
  }

  /** A signed HELLO. */
  void onSigned(Envelope envelope, int inPort) {
    Hello hello = Hello.of(envelope);
    Xid own = address.get().hid();
    if (hello.hid().equals(own) || inPort < 0) {
      return;
    }
    Link link = link(inPort);
    Heard before = link.heard.get(hello.hid());
    if (before != null && envelope.sequence() <= before.sequence) {
      return; // repeated, or from before the last one
    }
    if (before == null && link.heard.size() >= Hello.MAX_ANSWERS) {
      throw new RefusedException(
          Refusal.FULL, "too many routers on one link", Map.of("port", inPort));
    }
    envelope.check(verifier, Delegation.SCOPE_DOMAIN, epochMicros.getAsLong() / 1_000_000);
    trust.check(hello.ad(), envelope);
    long now = loop.nanoTime();
    link.heard.put(hello.hid(), new Heard(envelope.sequence(), hello.challenge(), now));
    if (answersUs(link, hello.answers().get(own), now)) {
      if (heard(new Neighbour(hello.ad(), hello.hid(), inPort, true, now))) {
        replyOn(inPort);
      }
    } else {
      replyOn(inPort);
    }
  }

  private static boolean answersUs(Link link, @Nullable Long answer, long nowNs) {
    return answer != null
        && link.challenges.stream()
            .anyMatch(c -> c.value == answer && nowNs - c.madeNs <= CHALLENGE_HOLDS.toNanos());
  }

  /** A HELLO of a v1.1 router; ignored if that router signs. */
  void onPlain(RoutingMessage.Hello hello, int inPort) {
    boolean signs = links.values().stream().anyMatch(link -> link.heard.containsKey(hello.hid()));
    if (!signs && inPort >= 0 && !hello.hid().equals(address.get().hid())) {
      heard(new Neighbour(hello.ad(), hello.hid(), inPort, false, loop.nanoTime()));
    }
  }

  /** Whether it is a new neighbour. */
  private boolean heard(Neighbour now) {
    Neighbour old = neighbours.get(now.hid);
    if (old == null && neighbours.size() >= MAX_NEIGHBOURS) {
      throw new RefusedException(Refusal.FULL, "too many neighbours");
    }
    boolean alive = old != null && now.heardNs - old.heardNs <= LIFETIME.toNanos();
    if (old != null && alive && (old.signed && !now.signed || old.port != now.port && old.signed)) {
      return false; // it is alive elsewhere
    }
    neighbours.put(now.hid, now);
    boolean isNew = old == null || old.port != now.port || !old.ad.equals(now.ad);
    if (isNew) {
      appeared.accept(now);
      touch(now);
    }
    return isNew;
  }

  /** Forgets neighbours that have been silent, and tells which. */
  List<Xid> expire() {
    long now = loop.nanoTime();
    List<Xid> silent = new ArrayList<>();
    for (Neighbour n : all()) {
      if (now - n.heardNs > LIFETIME.toNanos()) {
        neighbours.remove(n.hid);
        silent.add(n.hid);
      }
    }
    return silent;
  }

  /** The neighbours, by HID. */
  Collection<Neighbour> all() {
    return List.copyOf(neighbours.values());
  }

  void stop() {
    links
        .values()
        .forEach(
            link -> {
              if (link.reply != null) {
                link.reply.cancel();
                link.reply = null;
              }
            });
  }
}
