package io.xmig.xia.link;

import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.NativeBuffer;
import io.xmig.xia.link.posix.NetDevice;
import io.xmig.xia.link.posix.Tap;
import io.xmig.xia.node.FrameSink;
import java.nio.ByteBuffer;

/**
 * A tap interface as a link: the kernel's side of it is an ordinary network interface, so anything
 * that speaks Ethernet can cross the very same emulated link. Frames are bare ({@code
 * vnet_hdr=off}). Needs CAP_NET_ADMIN.
 */
public final class TapLink implements Link {
  private static final int FRAMES_PER_TURN = 128;

  private final NodeLoop loop;
  private final Tap tap;
  private final int mtu;
  private final LinkCounters counters = new LinkCounters();
  private final NativeBuffer incoming;
  private final ByteBuffer incomingFrame;
  private final NativeBuffer outgoing;
  private final ByteBuffer outgoingFrame;
  private final NodeLoop.Registration registration;
  private FrameSink receiver = frame -> {};

  private TapLink(NodeLoop loop, Tap tap, int mtu) {
    this.loop = loop;
    this.tap = tap;
    this.mtu = mtu;
    int capacity = mtu + ETHERNET_HEADER_LENGTH + 4;
    incoming = new NativeBuffer(capacity);
    incomingFrame = incoming.bytes().duplicate();
    outgoing = new NativeBuffer(capacity);
    outgoingFrame = outgoing.bytes().duplicate();
    registration = loop.registerBulk(tap, Epoll.IN, this::ready);
  }

  /**
   * Makes or attaches to the tap of this name, sets its MTU and brings it up.
   *
   * @throws io.xmig.xia.link.posix.PosixException if that is not allowed or another process has it
   */
  public static TapLink open(NodeLoop loop, String name, int mtu) {
    int checked = LinkOptions.ofMtu(mtu).mtu();
    Tap tap = Tap.open(name);
    try {
      NetDevice.setMtu(name, checked);
      NetDevice.setUp(name);
      return new TapLink(loop, tap, checked);
    } catch (RuntimeException e) {
      tap.close();
      throw e;
    }
  }

  @Override
  public String name() {
    return tap.name();
  }

  @Override
  public int mtu() {
    return mtu;
  }

  @Override
  public void receiver(FrameSink receiver) {
    this.receiver = receiver;
  }

  @Override
  public LinkCounters counters() {
    return counters;
  }

  /** Writes the frame at once: the kernel takes one per call and does not make a tap wait. */
  @Override
  public void frame(ByteBuffer frame) {
    int length = frame.remaining();
    if (length < ETHERNET_HEADER_LENGTH || length > mtu + ETHERNET_HEADER_LENGTH) {
      counters.oversizeDrops++;
      return;
    }
    if (tap.isClosed()) {
      counters.absentDrops++;
      return;
    }
    outgoingFrame.put(0, frame, frame.position(), length);
    int result = tap.write(outgoing, 0, length);
    if (result > 0) {
      counters.framesOut++;
      counters.bytesOut += length;
    } else if (result == -Errno.EAGAIN || result == -Errno.ENOBUFS) {
      counters.queueDrops++;
    } else if (result == -Errno.EIO) { // the interface is down
      counters.absentDrops++;
    } else {
      counters.errors++;
    }
  }

  private void ready(int events) {
    int large = 0;
    for (int i = 0; i < FRAMES_PER_TURN && !tap.isClosed(); i++) {
      int length = tap.read(incoming, 0, incoming.length());
      if (length <= 0) {
        if (length != -Errno.EAGAIN && length != -Errno.EINTR) {
          counters.errors++;
        }
        break;
      }
      if (length < ETHERNET_HEADER_LENGTH) {
        counters.oversizeDrops++;
        continue;
      }
      if (length >= InterruptModeration.LARGE_FRAME) {
        large++;
      }
      counters.framesIn++;
      counters.bytesIn += length;
      receiver.frame(incomingFrame.clear().limit(length));
    }
    loop.receivedLarge(large);
  }

  @Override
  public void close() {
    if (!tap.isClosed()) {
      registration.cancel();
      tap.close();
    }
  }
}
