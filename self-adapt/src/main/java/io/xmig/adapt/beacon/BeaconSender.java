package io.xmig.adapt.beacon;

import io.xmig.adapt.signal.Output;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.signal.SignedBeacon;
import io.xmig.adapt.trust.Delegation;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.wire.XhcpBeacon;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends a gateway's beacons: one every period on each link, and one at once on the link where a
 * machine arrives or somebody asks, but never more than one per {@link #MIN_GAP}, so that asking
 * cannot be used to flood a link.
 *
 * <p>The stamp of a beacon tells by which link it went out ({@link #linkOf}): a registration, which
 * repeats the stamp, counts on the link where its beacon was heard, and a recording of it nowhere
 * else.
 *
 * @threading on the stack's loop
 */
public final class BeaconSender {
  /** Shortest pause between two beacons on a link; what happens in between is answered by one. */
  public static final Duration MIN_GAP = Duration.ofMillis(2);

  /** Where beacons go: every host on a link. */
  public static final Dag DESTINATION = Dag.path(Xid.BHID, Xid.SID_XHCP);

  private static final int LINKS = 256;
  private static final int NO_LINK = LINKS - 1;

  private final EventLoop loop;
  private final Supplier<LocalAddress> address;
  private final Supplier<@Nullable Dag> nameServer;
  private final @Nullable Signer signer;
  private final @Nullable Delegation delegation;
  private final LongSupplier epochMicros;
  private final Duration period;
  private final int lifetimeS;
  private final Output output;
  private final Map<Integer, Link> links = new HashMap<>();
  private long lastStamp;
  private long sent;
  private boolean running;

  /** What the next beacon on one link has to tell. */
  private final class Link {
    final int number;
    final Set<Long> nonces = new LinkedHashSet<>();
    final Set<Long> arrivals = new LinkedHashSet<>();
    final Set<Dag> askers = new LinkedHashSet<>();
    EventLoop.@Nullable Timer timer;
    long lastNs;
    boolean sentOne;
    boolean soon;
    int sequence;

    Link(int number) {
      this.number = number;
    }

    void now() {
      long since = loop.nanoTime() - lastNs;
      long gap = MIN_GAP.toNanos();
      if (!sentOne || since >= gap) {
        send();
      } else if (!soon) {
        soon = true;
        reschedule(gap - since);
      }
    }

    void stop() {
      if (timer != null) {
        timer.cancel();
        timer = null;
      }
    }

    private void reschedule(long delayNs) {
      stop();
      timer = loop.schedule(delayNs, this::send);
    }

    private void send() {
      soon = false;
      sentOne = true;
      lastNs = loop.nanoTime();
      byte[] bytes = beacon(this).encode();
      if (output.links() == 0) {
        output.send(DESTINATION, ByteBuffer.wrap(bytes));
      } else if (number != NO_LINK) {
        output.sendOn(number, DESTINATION, ByteBuffer.wrap(bytes));
      }
      for (Dag asker : askers) {
        output.send(asker, new Signal.BeaconCopy(bytes).encode());
      }
      sent++;
      nonces.clear();
      arrivals.clear();
      askers.clear();
      if (running && (number != NO_LINK || output.links() == 0)) {
        reschedule(period.toNanos());
      }
    }
  }

  /**
   * @param address where the gateway is
   * @param nameServer the name server to recommend, {@code null} while none is known
   * @param signer key of the gateway, {@code null} for unsigned v1.1 beacons
   * @param epochMicros wall clock, microseconds
   */
  public BeaconSender(
      EventLoop loop,
      Supplier<LocalAddress> address,
      Supplier<@Nullable Dag> nameServer,
      @Nullable Signer signer,
      @Nullable Delegation delegation,
      LongSupplier epochMicros,
      Duration period,
      int lifetimeS,
      Output output) {
    this.loop = loop;
    this.address = address;
    this.nameServer = nameServer;
    this.signer = signer;
    this.delegation = delegation;
    this.epochMicros = epochMicros;
    this.period = period;
    this.lifetimeS = lifetimeS;
    this.output = output;
  }

  /** Sends the first beacons and goes on until {@link #stop}. */
  public void start() {
    running = true;
    int count = output.links();
    if (count == 0) {
      link(NO_LINK).send();
    }
    for (int link = 0; link < count; link++) {
      link(link).send();
    }
  }

  /** Sends no further beacon. */
  public void stop() {
    running = false;
    links.values().forEach(Link::stop);
  }

  private Link link(int number) {
    boolean known = number >= 0 && number < output.links();
    return links.computeIfAbsent(known ? number : NO_LINK, Link::new);
  }

  /** A machine has arrived on a link: a beacon that names it goes out there at once. */
  public void arrived(long mac, int port) {
    Link link = link(port);
    if (mac != 0 && link.arrivals.size() < SignedBeacon.MAX_ANSWERS) {
      link.arrivals.add(mac);
    }
    link.now();
  }

  /**
   * Somebody on a link asks: a beacon that carries the nonce goes out there at once.
   *
   * @param copyTo who wants a copy to its own address, or {@code null}
   */
  public void asked(long nonce, @Nullable Dag copyTo, int port) {
    Link link = link(port);
    if (link.nonces.size() < SignedBeacon.MAX_ANSWERS) {
      link.nonces.add(nonce);
      if (copyTo != null) {
        link.askers.add(copyTo);
      }
    }
    link.now();
  }

  /** Something has happened on a link that makes a beacon welcome. */
  public void now(int port) {
    link(port).now();
  }

  private SignedBeacon beacon(Link link) {
    LocalAddress here = address.get();
    Dag server = nameServer.get();
    XhcpBeacon v1 =
        new XhcpBeacon(
            link.sequence++,
            here.ad(),
            here.hid(),
            here.fourId() == null ? Xid.NULL_4ID : here.fourId(),
            server == null ? here.service(Xid.SID_NS).toString() : server.toString());
    Signer key = signer;
    return key == null
        ? SignedBeacon.unsigned(v1)
        : SignedBeacon.seal(
            v1,
            key,
            delegation,
            stampFor(link.number),
            (int) Math.min(65_535, period.toMillis()),
            lifetimeS,
            List.copyOf(link.nonces),
            List.copyOf(link.arrivals));
  }

  private long stampFor(int link) {
    long next = nextStamp();
    long stamp = (next & -LINKS) | link % LINKS;
    lastStamp = stamp < next ? stamp + LINKS : stamp;
    return lastStamp;
  }

  /** The link by which the beacon with this stamp went out, modulo 256. */
  public static int linkOf(long stamp) {
    return (int) (stamp & (LINKS - 1));
  }

  /** A stamp greater than every one before. */
  public long nextStamp() {
    lastStamp = Math.max(lastStamp + 1, epochMicros.getAsLong());
    return lastStamp;
  }

  /** Beacons sent so far. */
  public long sent() {
    return sent;
  }
}
