package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * What the node offers its transports: time, chance, its address, and a way to send. The node calls
 * its transports and the transports call this on one event loop.
 */
public interface TransportContext {
  /** The node's clock, nanoseconds. */
  long nowNs();

  /** Randomness for identifiers and initial numbers; seeded in a simulation. */
  RandomGenerator random();

  /** Runs a task {@code delayNs} from now. */
  EventLoop.Timer schedule(long delayNs, Runnable task);

  /** The node's address now. */
  LocalAddress localAddress();

  /** Calls {@code listener} after each change of the address; the result undoes this. */
  Runnable onAddressChange(Consumer<LocalAddress> listener);

  /**
   * Begins a packet: the header for the given addresses is laid down and the buffer returned has
   * its position behind it. There is room for a packet of 65,535 bytes; what the link towards the
   * destination carries is {@link #maxPacketBytes}, and more is dropped. The caller puts extension
   * header and payload and then calls {@link #send}. One packet at a time; the buffer is the node's
   * and reused.
   */
  ByteBuffer begin(Dag destination, Dag source, int nextHeader, int hopLimit);

  /**
   * Routes and sends the packet begun last, up to the buffer's position.
   *
   * @param payloadLength value of the header's payload length field (the prototype counts
   *     differently per packet type, docs/wire.md section 2)
   * @return false when the node has no way to the destination
   */
  boolean send(int payloadLength);

  /** Number of the node's links, which have the numbers below it. */
  default int links() {
    return 0;
  }

  /**
   * Sends the packet begun last to every station on one link instead of routing it.
   *
   * @param payloadLength as of {@link #send}
   * @return false when the link is down, is none, or does not carry the packet
   */
  default boolean sendOn(int link, int payloadLength) {
    throw new UnsupportedOperationException("links cannot be chosen here");
  }

  /**
   * Largest XIP packet in bytes, header included, that the link towards this destination carries;
   * the largest of all links if there is no route.
   */
  int maxPacketBytes(Dag destination);

  /** Whether a SID is bound on this node. */
  boolean isBound(Xid sid);

  /**
   * Delivers what arrives for a SID to {@code receiver} and sets its route; fails if another has
   * it.
   */
  void bind(Xid sid, PacketReceiver receiver);

  /** Undoes {@link #bind}. */
  void unbind(Xid sid);

  /** Sets the route of a CID to this node, so that requests for it are answered here. */
  void announce(Xid cid);

  /** Removes the route of a CID. */
  void withdraw(Xid cid);

  /**
   * Makes {@code receiver} the node's content store: it is given what concerns chunks. One per
   * node; a second call replaces the first receiver.
   */
  void serveContent(ContentReceiver receiver);

  /** Takes the packets of one bound SID. */
  @FunctionalInterface
  interface PacketReceiver {
    /**
     * One packet that was delivered at the SID, whatever its next header is (transport or content;
     * XCMP never comes here). The receiver checks next header and transport type and ignores what
     * it does not speak. The view and its buffer are valid during the call only.
     *
     * <p>The receiver may send from within the call. What it sends to this node itself arrives
     * later, in a task of its own.
     */
    void packet(PacketView packet);

    /**
     * A packet sent from this SID did not arrive, says an XCMP message. Nothing authenticates it:
     * take it as a hint, never as proof.
     */
    default void undeliverable(DeliveryReport report) {}
  }

  /**
   * Takes the packets that concern chunks. As the {@link PacketReceiver} of this host itself it is
   * given content packets that end here without naming a service, and what is said about packets
   * sent from the host's bare address.
   */
  interface ContentReceiver extends PacketReceiver {
    @Override
    default void packet(PacketView packet) {}

    /**
     * A packet for a CID that is announced on this node: a request. The view is valid during the
     * call only.
     */
    void request(PacketView packet);

    /**
     * A content packet that came by a link and whose source is a CID, seen before it is routed;
     * only on nodes configured to cache what passes. The view is valid during the call only, and
     * the bytes must not be changed.
     */
    void passing(PacketView packet);
  }

  /**
   * What an XCMP error message says about a packet that was sent here.
   *
   * @param reason what became of the packet
   * @param intent final intent of its destination, e.g. the SID or CID it was for
   * @param destination the destination address it was sent to
   * @param reporter who says so; the destination host itself if it answers but has no such service
   *     or chunk
   * @param maxPacketBytes with {@link Reason#TOO_BIG} the largest packet that would have passed,
   *     else 0
   * @param quoted the first eight bytes that the packet had behind its XIP header or, in a content
   *     packet, behind the header after that; big-endian, 0 if they are missing
   */
  record DeliveryReport(
      Reason reason, Xid intent, Dag destination, Dag reporter, int maxPacketBytes, long quoted) {
    /** What became of a packet. */
    public enum Reason {
      /** The reporter knows no way to the destination. */
      UNREACHABLE,
      /** The hop limit was used up. */
      TIME_EXCEEDED,
      /** The packet is larger than the reporter's link carries (an extension of this node). */
      TOO_BIG
    }

    /** Whether the destination host itself answered: it is there, the service or chunk is not. */
    public boolean fromDestinationHost() {
      Xid host = destination.host();
      return host != null && host.equals(reporter.intent());
    }
  }
}
