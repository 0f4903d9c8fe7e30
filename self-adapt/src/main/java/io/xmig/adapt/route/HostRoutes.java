package io.xmig.adapt.route;

import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HID entries that a router's services have set: soft state that goes away when nobody repeats
 * the statement it rests on. The only writer of the HID table beside the routing daemon.
 *
 * @threading on the stack's loop
 */
public final class HostRoutes {
  private static final Logger LOG = LoggerFactory.getLogger(HostRoutes.class);
  private static final long SWEEP_NS = 1_000_000_000L;
  private static final int MAX_ERASURES = 600;
  private static final int CHANGES_KEPT = 256;

  /** On what an entry rests. */
  public enum Basis {
    /** A signed registration here. */
    REGISTERED,
    /** A v1.1 registration here. */
    UNSIGNED,
    /** A signed statement that the host is elsewhere. */
    REPOINTED
  }

  /**
   * One host.
   *
   * @param basis on what the entry rests
   * @param sequence of the host's statement, 0 if unsigned
   * @param statement the host's statement, {@code null} if unsigned
   * @param route what stands in the table
   * @param expiresNs when it goes away
   */
  public record Host(
      Xid hid,
      Basis basis,
      long sequence,
      @Nullable Envelope statement,
      RouteEntry route,
      long expiresNs) {}

  /**
   * A host's packets began to go another way.
   *
   * @param atNs when the route was in place, on the loop's clock
   */
  public record Change(Xid hid, Basis basis, int port, long atNs) {}

  private final Deque<Change> changes = new ArrayDeque<>();
  private final EventLoop loop;
  private final RouteControl control;
  private final int capacity;
  private final Map<Xid, Host> hosts = new LinkedHashMap<>();
  private EventLoop.@Nullable Timer sweeping;
  private long writeFailures;
  private boolean stopped;

  /**
   * @param capacity hosts held; further ones are refused
   */
  public HostRoutes(EventLoop loop, RouteControl control, int capacity) {
    this.loop = loop;
    this.control = control;
    this.capacity = capacity;
  }

  /** What is known of a host, {@code null} if nothing. */
  public @Nullable Host find(Xid hid) {
    Host host = hosts.get(hid);
    return host != null && loop.nanoTime() - host.expiresNs >= 0 ? null : host;
  }

  /**
   * Sets or refreshes a host's entry.
   *
   * @throws RefusedException {@link Refusal#FULL}
   */
  public CompletableFuture<Void> set(Host host) {
    if (!hosts.containsKey(host.hid) && hosts.size() >= capacity) {
      throw new RefusedException(
          Refusal.FULL, "no room for another host", Map.of("hosts", hosts.size()));
    }
    Host before = hosts.put(host.hid, host);
    if (sweeping == null) {
      sweeping = loop.schedule(SWEEP_NS, this::sweep);
    }
    CompletableFuture<Void> written = write(host);
    return before != null && before.route.equals(host.route)
        ? written
        : written.thenRun(() -> remember(host));
  }

  private void remember(Host host) {
    if (changes.size() >= CHANGES_KEPT) {
      changes.removeFirst();
    }
    changes.addLast(new Change(host.hid, host.basis, host.route.port(), loop.nanoTime()));
  }

  /** The newest changes of routes, oldest first. */
  public List<Change> changes() {
    return List.copyOf(changes);
  }

  private CompletableFuture<Void> write(Host host) {
    return control
        .set(XidType.HID, host.route)
        .whenComplete(
            (done, error) -> {
              if (error != null) {
                writeFailures++;
                // not confirmed to anybody; kept so that what stands there still runs out
                hosts.computeIfPresent(
                    host.hid, (hid, now) -> now == host ? unconfirmed(now) : now);
                LOG.warn("could not set the route of {}: {}", host.hid, error.getMessage());
              }
            });
  }

  private static Host unconfirmed(Host host) {
    return new Host(host.hid, host.basis, 0, null, host.route, host.expiresNs);
  }

  /**
   * Takes over what a predecessor left in the node's table, so that it runs out like the rest
   * unless its host says that it is still right.
   *
   * @param lifetimeNs how long it may stay unconfirmed
   */
  public CompletableFuture<Void> adopt(long lifetimeNs) {
    long until = loop.nanoTime() + lifetimeNs;
    return control
        .list(XidType.HID)
        .thenAccept(entries -> entries.forEach(entry -> adopt(entry, until)))
        .exceptionally(
            error -> {
              LOG.warn("could not read the routes left by a predecessor: {}", error.getMessage());
              return null;
            });
  }

  private void adopt(RouteEntry entry, long untilNs) {
    Xid hid = entry.xid();
    boolean repointed = entry.flags() == RouteEntry.FLAGS_REPOINTED;
    if (hid == null
        || !repointed && entry.flags() != RouteEntry.FLAGS_REGISTERED
        || hosts.containsKey(hid)
        || hosts.size() >= capacity) {
      return;
    }
    Basis basis = repointed ? Basis.REPOINTED : Basis.REGISTERED;
    hosts.put(hid, new Host(hid, basis, 0, null, entry, untilNs));
    if (sweeping == null) {
      sweeping = loop.schedule(SWEEP_NS, this::sweep);
    }
  }

  /** Lets an entry go away within {@code graceNs}, unless it is refreshed. */
  public void shorten(Xid hid, long graceNs) {
    Host host = hosts.get(hid);
    long until = loop.nanoTime() + graceNs;
    if (host != null && until - host.expiresNs < 0) {
      hosts.put(hid, new Host(hid, host.basis, host.sequence, host.statement, host.route, until));
    }
  }

  /** Removes a host's entry now. */
  public void remove(Xid hid) {
    if (hosts.remove(hid) != null) {
      erase(hid, 1);
    }
  }

  private void erase(Xid hid, int attempt) {
    control
        .remove(XidType.HID, hid)
        .exceptionally(
            error -> {
              // a node that refuses just now and one that has no such entry both fail
              control.list(XidType.HID).whenComplete((left, unknown) -> again(hid, attempt, left));
              return null;
            });
  }

  private void again(Xid hid, int attempt, @Nullable List<RouteEntry> left) {
    boolean gone = left != null && left.stream().noneMatch(e -> hid.equals(e.xid()));
    if (gone || stopped || hosts.containsKey(hid)) {
      return;
    }
    if (attempt == MAX_ERASURES) {
      writeFailures++;
      LOG.warn("the route of {} could not be removed; 'xmig route remove' does that", hid);
      return;
    }
    loop.schedule(
        SWEEP_NS,
        () -> {
          if (!stopped && !hosts.containsKey(hid)) {
            erase(hid, attempt + 1);
          }
        });
  }

  private void sweep() {
    sweeping = null;
    long now = loop.nanoTime();
    List<Xid> expired = new ArrayList<>();
    hosts
        .values()
        .forEach(
            h -> {
              if (now - h.expiresNs >= 0) {
                expired.add(h.hid);
              }
            });
    expired.forEach(this::remove);
    if (!hosts.isEmpty()) {
      sweeping = loop.schedule(SWEEP_NS, this::sweep);
    }
  }

  /** All hosts, those about to be swept included. */
  public List<Host> all() {
    return List.copyOf(hosts.values());
  }

  /** Entries that the node refused. */
  public long writeFailures() {
    return writeFailures;
  }

  /** Stops the sweeping; entries stay. */
  public void stop() {
    stopped = true;
    if (sweeping != null) {
      sweeping.cancel();
      sweeping = null;
    }
  }
}
