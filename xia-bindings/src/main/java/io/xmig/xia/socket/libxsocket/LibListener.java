package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.ptr.IntByReference;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.SockaddrX;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.StreamAcceptor;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XiaSocketException;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** A bound stream socket of the library, with a thread that accepts. */
final class LibListener implements StreamListener, Endpoint {
  private final LibXsocketStack stack;
  private final IntSupplier opener;
  private final Xid sid;
  private final StreamAcceptor acceptor;
  private volatile int fd;
  private volatile boolean closed;

  /**
   * @param opener opens the socket and binds it; called again when Click has been restarted
   */
  LibListener(LibXsocketStack stack, IntSupplier opener, Xid sid, StreamAcceptor acceptor) {
    this.stack = stack;
    this.opener = opener;
    this.fd = opener.getAsInt();
    this.sid = sid;
    this.acceptor = acceptor;
    Worker.start("accept-" + fd, this::accept);
  }

  private void accept() {
    Memory pollfd = new Memory(8);
    while (!closed) {
      try {
        if (!Worker.readable(fd, pollfd)) {
          continue;
        }
        SockaddrMemory peer = new SockaddrMemory();
        IntByReference length = new IntByReference(SockaddrX.LENGTH);
        int accepted = Xsocket.Xaccept(fd, peer.pointer(), length);
        Dag remote = peer.dag();
        stack.loop().execute(() -> hand(accepted, remote));
      } catch (LastErrorException e) {
        if (!closed) {
          stack.report(Worker.failure("Xaccept", e));
          Worker.rest();
        }
      } catch (IllegalArgumentException e) {
        stack.report(
            new XiaSocketException(
                XiaSocketException.Kind.NODE, "a connection without a sender: " + e.getMessage()));
      }
    }
  }

  private void hand(int accepted, Dag remote) {
    Late handler = new Late();
    LibStream stream = stack.opened(new LibStream(stack, accepted, localDag(), remote, handler));
    handler.real = acceptor.accept(stream);
    stream.start();
  }

  /** The handler is known only after the acceptor has seen the connection. */
  private static final class Late implements StreamHandler {
    private @Nullable StreamHandler real;

    @Override
    public void onReadable(StreamConnection connection) {
      if (real != null) {
        real.onReadable(connection);
      }
    }

    @Override
    public void onWritable(StreamConnection connection) {
      if (real != null) {
        real.onWritable(connection);
      }
    }

    @Override
    public void onClosed(StreamConnection connection, @Nullable XiaSocketException cause) {
      if (real != null) {
        real.onClosed(connection, cause);
      }
    }
  }

  @Override
  public void lost(XiaSocketException cause) {
    // nobody can connect until the socket is bound again
  }

  @Override
  public void reopen() {
    int old = fd;
    fd = opener.getAsInt();
    stack.calls().closeSocket(old);
  }

  @Override
  public Dag localDag() {
    return stack.localAddress().service(sid);
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
