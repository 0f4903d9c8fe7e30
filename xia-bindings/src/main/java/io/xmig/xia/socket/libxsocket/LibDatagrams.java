package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.ptr.IntByReference;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.SockaddrX;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.wire.XcmpFlyweight;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/** A datagram or raw socket of the library, with a thread that reads. */
final class LibDatagrams implements DatagramSocket, XcmpSocket, Endpoint {
  private static final int XIP_NODES_OFFSET = 8;
  private static final int DEFAULT_HOP_LIMIT = 250;

  private final LibXsocketStack stack;
  private final IntSupplier opener;
  private final Supplier<Dag> local;
  private final ByteBuffer out = ByteBuffer.allocateDirect(Xsocket.XIA_MAXBUF);
  private final Object exchange = new Object();
  private volatile int fd;
  private volatile boolean closed;
  private int hopLimit = DEFAULT_HOP_LIMIT;

  /**
   * @param opener opens the socket and binds it; called again when Click has been restarted
   */
  LibDatagrams(
      LibXsocketStack stack,
      IntSupplier opener,
      Supplier<Dag> local,
      BiConsumer<Dag, ByteBuffer> receiver) {
    this.stack = stack;
    this.opener = opener;
    this.fd = opener.getAsInt();
    this.local = local;
    Worker.start("datagrams-" + fd, () -> read(receiver));
  }

  /**
   * The XCMP message in what a raw socket reads: the bytes behind the XIP header; empty if there is
   * none.
   */
  static ByteBuffer messageOf(ByteBuffer packet) {
    if (packet.remaining() < XIP_NODES_OFFSET) {
      return packet.slice().limit(0);
    }
    int at = packet.position();
    int nodes = (packet.get(at + 5) & 0xff) + (packet.get(at + 6) & 0xff);
    int header = XIP_NODES_OFFSET + nodes * Dag.NODE_LENGTH;
    return header > packet.remaining()
        ? packet.slice().limit(0)
        : packet.slice().position(header).slice();
  }

  private void read(BiConsumer<Dag, ByteBuffer> receiver) {
    Memory pollfd = new Memory(8);
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
    SockaddrMemory from = new SockaddrMemory();
    while (!closed) {
      try {
        if (!Worker.readable(fd, pollfd)) {
          continue;
        }
        int count = receive(buffer, from, pollfd);
        if (count == 0) {
          continue;
        }
        ByteBuffer copy = ByteBuffer.allocate(count).put(0, buffer, 0, count);
        Dag source = sourceOf(from);
        stack.loop().execute(() -> hand(receiver, source, copy));
      } catch (LastErrorException e) {
        if (!closed) {
          stack.report(Worker.failure("Xrecvfrom", e));
          Worker.rest();
        }
      }
    }
  }

  /**
   * Takes a datagram that is there. The answer to an option, which comes the same way, is not taken
   * for one.
   */
  private int receive(ByteBuffer buffer, SockaddrMemory from, Memory pollfd) {
    synchronized (exchange) {
      if (!Worker.readableNow(fd, pollfd)) {
        return 0;
      }
      IntByReference length = new IntByReference(SockaddrX.LENGTH);
      return Xsocket.Xrecvfrom(fd, buffer, buffer.capacity(), 0, from.pointer(), length);
    }
  }

  private void hand(BiConsumer<Dag, ByteBuffer> receiver, Dag source, ByteBuffer payload) {
    if (!closed) {
      receiver.accept(source, payload);
    }
  }

  @Override
  public void lost(XiaSocketException cause) {
    // as on any network: what is sent meanwhile does not arrive
  }

  @Override
  public void reopen() {
    int old = fd;
    synchronized (exchange) {
      fd = opener.getAsInt();
      hopLimit = DEFAULT_HOP_LIMIT;
    }
    stack.calls().closeSocket(old);
  }

  /**
   * Nodes of other principals than those known here may make an address that cannot be read; it
   * still is a sender.
   */
  private Dag sourceOf(SockaddrMemory from) {
    try {
      return from.dag();
    } catch (IllegalArgumentException e) {
      return stack.localAddress().host();
    }
  }

  @Override
  public Dag localDag() {
    return local.get();
  }

  @Override
  public void send(Dag destination, ByteBuffer payload) {
    int length = payload.remaining();
    if (length > stack.capabilities().maxDatagramBytes()) {
      throw new XiaSocketException(
          Kind.MESSAGE_TOO_LONG, "datagram too long", Map.of("bytes", length));
    }
    if (closed) {
      throw new XiaSocketException(Kind.CLOSED, "the socket is closed");
    }
    out.clear().put(payload.duplicate()).flip();
    SockaddrMemory to = SockaddrMemory.of(destination);
    try {
      Xsocket.Xsendto(fd, out, length, 0, to.pointer(), SockaddrX.LENGTH);
    } catch (LastErrorException e) {
      throw Worker.failure("Xsendto", e);
    } finally {
      java.lang.ref.Reference.reachabilityFence(to);
    }
  }

  @Override
  public void echo(Dag destination, int id, int sequence, ByteBuffer data, int hopLimit) {
    ByteBuffer message = ByteBuffer.allocate(XcmpFlyweight.ECHO_HEADER_LENGTH + data.remaining());
    message.position(XcmpFlyweight.ECHO_HEADER_LENGTH).put(data.duplicate()).flip();
    XcmpFlyweight.writeEchoRequest(message, 0, id, sequence);
    XcmpFlyweight.seal(message, 0, message.remaining());
    limitHops(hopLimit);
    send(destination, message);
  }

  /** A round trip to Click, made only when it changes something. */
  private void limitHops(int wanted) {
    synchronized (exchange) {
      if (wanted == hopLimit) {
        return;
      }
      try {
        Xsocket.Xsetsockopt(fd, Xsocket.XOPT_HLIM, new IntByReference(wanted), Integer.BYTES);
        hopLimit = wanted;
      } catch (LastErrorException e) {
        throw Worker.failure("Xsetsockopt", e);
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      stack.forget(this);
      stack.calls().closeSocket(fd);
    }
  }
}
