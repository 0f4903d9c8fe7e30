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
   * its position behind it and its limit at the largest packet the node can send ({@link
   * #maxPacketBytes}). The caller puts extension header and payload and then calls {@link #send}.
   * One packet at a time; the buffer is the node's and reused.
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

  /** Takes the packets of one bound SID. */
  @FunctionalInterface
  interface PacketReceiver {
    /**
     * One packet whose transport header is of the type the receiver handles. The view and its
     * buffer are valid during the call only.
     */
    void packet(PacketView packet);
  }
}
