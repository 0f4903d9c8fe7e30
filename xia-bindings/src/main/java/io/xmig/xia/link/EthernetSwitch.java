package io.xmig.xia.link;

import io.xmig.xia.socket.EventLoop;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A learning Ethernet switch. An address belongs to the port that last sent from it, so that the
 * first frame of a machine that has moved, usually the RARP its hypervisor broadcasts, takes it to
 * its new port at once. Broadcasts, multicasts and frames to unknown addresses go to every other
 * port.
 *
 * @threading on the loop
 */
public final class EthernetSwitch implements AutoCloseable {
  /** Addresses known at most; further ones are not learnt and their frames go everywhere. */
  public static final int MAX_ADDRESSES = 4096;

  /** How long an address is known without being heard from (IEEE 802.1D). */
  private static final long AGEING_NS = 300_000_000_000L;

  private static final long CLEAN_INTERVAL_NS = 1_000_000_000L;
  private static final long GROUP_BIT = 1L << 40;
  private static final int ETHERTYPE_RARP = 0x8035;

  private final EventLoop loop;
  private final String name;
  private final List<Port> ports = new ArrayList<>();
  private long[] addresses = new long[256]; // 0: free
  private @Nullable Port[] owners = new @Nullable Port[256];
  private long[] heardNs = new long[256];
  private int known;
  private long lastCleanNs;
  private long moves;
  private long floods;
  private @Nullable RarpListener rarpListener;

  /** Hears of machines that announce themselves. */
  @FunctionalInterface
  public interface RarpListener {
    /** A RARP from {@code mac} came in by {@code link}. */
    void rarp(Link link, long mac);
  }

  /** A link attached to the switch. */
  private final class Port {
    final Link link;

    Port(Link link) {
      this.link = link;
    }

    void frame(ByteBuffer frame) {
      forward(this, frame);
    }
  }

  public EthernetSwitch(EventLoop loop, String name) {
    this.loop = loop;
    this.name = name;
    this.lastCleanNs = loop.nanoTime() - CLEAN_INTERVAL_NS;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** Makes {@code link} a port; the switch closes it when it is closed itself. */
  public void attach(Link link) {
    Port port = new Port(link);
    ports.add(port);
    link.receiver(port::frame);
  }

  /** Takes a port away, with the addresses behind it. The link is not closed. */
  public void detach(Link link) {
    ports.removeIf(port -> port.link == link);
    link.receiver(frame -> {});
    rebuild(addresses.length);
  }

  /** Links attached. */
  public List<Link> links() {
    return ports.stream().map(port -> port.link).toList();
  }

  /** Sets who hears of RARP broadcasts. */
  public void onRarp(RarpListener listener) {
    this.rarpListener = listener;
  }

  /** Addresses known. */
  public int knownAddresses() {
    return known;
  }

  /** How often an address was heard at another port than before. */
  public long moves() {
    return moves;
  }

  /** Frames sent to all ports. */
  public long floods() {
    return floods;
  }

  /** The link behind which {@code mac} was heard last, or {@code null}. */
  public @Nullable Link locate(long mac) {
    Port port = lookUp(mac);
    return port == null ? null : port.link;
  }

  private void forward(Port from, ByteBuffer frame) {
    if (frame.order() != ByteOrder.BIG_ENDIAN) {
      throw new IllegalArgumentException("frames are big-endian buffers");
    }
    int start = frame.position();
    int end = frame.limit();
    if (end - start < Link.ETHERNET_HEADER_LENGTH) {
      return;
    }
    long destination = frame.getLong(start) >>> 16;
    long source = frame.getLong(start + 4) & 0xffff_ffff_ffffL;
    if ((source & GROUP_BIT) == 0 && source != 0) {
      learn(source, from);
    }
    if (rarpListener != null && Short.toUnsignedInt(frame.getShort(start + 12)) == ETHERTYPE_RARP) {
      rarpListener.rarp(from.link, source);
    }
    Port to = (destination & GROUP_BIT) != 0 ? null : lookUp(destination);
    if (to != null) {
      if (to != from) {
        to.link.frame(frame);
      }
      return;
    }
    floods++;
    for (int i = 0; i < ports.size(); i++) {
      Port port = ports.get(i);
      if (port != from) {
        port.link.frame(frame);
        frame.limit(end).position(start);
      }
    }
  }

  private void learn(long mac, Port port) {
    int slot = slotOf(mac);
    if (addresses[slot] == mac) {
      if (owners[slot] != port) {
        owners[slot] = port;
        moves++;
      }
      heardNs[slot] = loop.nanoTime();
      return;
    }
    if (known >= addresses.length / 2) {
      if (!makeRoom()) {
        return;
      }
      slot = slotOf(mac);
    }
    addresses[slot] = mac;
    owners[slot] = port;
    heardNs[slot] = loop.nanoTime();
    known++;
  }

  private boolean makeRoom() {
    long now = loop.nanoTime();
    if (addresses.length < 2 * MAX_ADDRESSES) {
      rebuild(addresses.length * 2);
    } else if (now - lastCleanNs >= CLEAN_INTERVAL_NS) { // a flood of addresses must not cost much
      lastCleanNs = now;
      rebuild(addresses.length);
    }
    return known < addresses.length / 2;
  }

  private @Nullable Port lookUp(long mac) {
    int slot = slotOf(mac);
    if (addresses[slot] != mac || loop.nanoTime() - heardNs[slot] > AGEING_NS) {
      return null;
    }
    return owners[slot];
  }

  /** The slot of an address, or the free one where it belongs. */
  private int slotOf(long mac) {
    int mask = addresses.length - 1;
    int slot = (int) ((mac * 0x9E3779B97F4A7C15L) >>> 40) & mask;
    while (addresses[slot] != 0 && addresses[slot] != mac) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Leaves out what is too old or behind ports that have gone. */
  private void rebuild(int capacity) {
    long[] oldAddresses = addresses;
    @Nullable Port[] oldOwners = owners;
    long[] oldHeard = heardNs;
    addresses = new long[capacity];
    owners = new @Nullable Port[capacity];
    heardNs = new long[capacity];
    known = 0;
    long now = loop.nanoTime();
    for (int i = 0; i < oldAddresses.length; i++) {
      if (oldAddresses[i] != 0 && now - oldHeard[i] <= AGEING_NS && ports.contains(oldOwners[i])) {
        int slot = slotOf(oldAddresses[i]);
        addresses[slot] = oldAddresses[i];
        owners[slot] = oldOwners[i];
        heardNs[slot] = oldHeard[i];
        known++;
      }
    }
  }

  @Override
  public void close() {
    for (Port port : ports) {
      port.link.close();
    }
    ports.clear();
    rebuild(256);
  }
}
