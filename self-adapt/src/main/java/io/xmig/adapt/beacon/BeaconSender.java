package io.xmig.adapt.beacon;

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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends a gateway's beacons: one every period, and one at once when a machine arrives or somebody
 * asks, but never more than one per {@link #MIN_GAP}, so that asking cannot be used to flood a
 * link.
 *
 * @threading on the stack's loop
 */
public final class BeaconSender {
  /** Shortest pause between two beacons; what happens in between is answered by one. */
  public static final Duration MIN_GAP = Duration.ofMillis(2);

  /** Where beacons go: every host on every link. */
  public static final Dag DESTINATION = Dag.path(Xid.BHID, Xid.SID_XHCP);

  private final EventLoop loop;
  private final Supplier<LocalAddress> address;
  private final Supplier<@Nullable Dag> nameServer;
  private final @Nullable Signer signer;
  private final @Nullable Delegation delegation;
  private final LongSupplier epochMicros;
  private final Duration period;
  private final int lifetimeS;
  private final BiConsumer<Dag, ByteBuffer> output;
  private final Set<Long> nonces = new LinkedHashSet<>();
  private final Set<Long> arrivals = new LinkedHashSet<>();
  private final Set<Dag> askers = new LinkedHashSet<>();

  private EventLoop.@Nullable Timer timer;
  private long lastNs;
  private long lastStamp;
  private boolean sentOne;
  private boolean soon;
  private int sequence;
  private long sent;

  /**
   * @param address where the gateway is
   * @param nameServer the name server to recommend, {@code null} while none is known
   * @param signer key of the gateway, {@code null} for unsigned v1.1 beacons
   * @param epochMicros wall clock, microseconds
   * @param output sends a datagram to an address
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
      BiConsumer<Dag, ByteBuffer> output) {
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

  /** Sends the first beacon and goes on until {@link #stop}. */
  public void start() {
    send();
  }

  /** Sends no further beacon. */
  public void stop() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  /** A machine has arrived: a beacon that names it goes out at once. */
  public void arrived(long mac) {
    if (mac != 0 && arrivals.size() < SignedBeacon.MAX_ANSWERS) {
      arrivals.add(mac);
    }
    now();
  }

  /**
   * Somebody asks: a beacon that carries the nonce goes out at once.
   *
   * @param copyTo who wants a copy to its own address, or {@code null}
   */
  public void asked(long nonce, @Nullable Dag copyTo) {
    if (nonces.size() < SignedBeacon.MAX_ANSWERS) {
      nonces.add(nonce);
      if (copyTo != null) {
        askers.add(copyTo);
      }
    }
    now();
  }

  /** Something that beacons tell has changed. */
  public void now() {
    long since = loop.nanoTime() - lastNs;
    long gap = MIN_GAP.toNanos();
    if (!sentOne || since >= gap) {
      send();
    } else if (!soon) {
      soon = true;
      reschedule(gap - since);
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
    LocalAddress here = address.get();
    Dag server = nameServer.get();
    XhcpBeacon v1 =
        new XhcpBeacon(
            sequence++,
            here.ad(),
            here.hid(),
            here.fourId() == null ? Xid.NULL_4ID : here.fourId(),
            server == null ? here.service(Xid.SID_NS).toString() : server.toString());
    Signer key = signer;
    SignedBeacon beacon =
        key == null
            ? SignedBeacon.unsigned(v1)
            : SignedBeacon.seal(
                v1,
                key,
                delegation,
                nextStamp(),
                (int) Math.min(65_535, period.toMillis()),
                lifetimeS,
                List.copyOf(nonces),
                List.copyOf(arrivals));
    byte[] bytes = beacon.encode();
    output.accept(DESTINATION, ByteBuffer.wrap(bytes));
    for (Dag asker : askers) {
      output.accept(
          asker, ByteBuffer.wrap(new io.xmig.adapt.signal.Signal.BeaconCopy(bytes).encode()));
    }
    sent++;
    nonces.clear();
    arrivals.clear();
    askers.clear();
    reschedule(period.toNanos());
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
