package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.SockaddrX;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.lang.ref.Reference;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** One Xconnect, which waits for ever with the prototype's Click if nobody answers. */
final class Connecting {
  private static final int NONE = -1;

  private final LibXsocketStack stack;
  private final Dag remote;
  private final StreamHandler handler;
  private int waiting = NONE;
  private boolean interrupted;

  Connecting(LibXsocketStack stack, Dag remote, StreamHandler handler) {
    this.stack = stack;
    this.remote = remote;
    this.handler = handler;
  }

  /** Completes on the loop. */
  CompletableFuture<StreamConnection> start(Executor calls, EventLoop loop) {
    CompletableFuture<StreamConnection> result = new CompletableFuture<>();
    try {
      calls.execute(
          () -> {
            try {
              StreamConnection made = connect();
              loop.execute(() -> result.complete(made));
            } catch (LastErrorException e) {
              XiaSocketException failure = Worker.failure("Xsocket", e);
              loop.execute(() -> result.completeExceptionally(failure));
            } catch (RuntimeException e) {
              loop.execute(() -> result.completeExceptionally(e));
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(new XiaSocketException(Kind.CLOSED, "the stack is closed"));
    }
    return result;
  }

  private StreamConnection connect() {
    int fd = Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_STREAM, 0);
    SockaddrMemory memory = SockaddrMemory.of(remote);
    boolean connected = false;
    try {
      if (!waitsOn(fd)) {
        throw new XiaSocketException(Kind.TIMED_OUT, "the attempt was given up");
      }
      Xsocket.Xconnect(fd, memory.pointer(), SockaddrX.LENGTH);
      connected = waitsOn(NONE);
    } catch (LastErrorException e) {
      throw Worker.failure("Xconnect", e);
    } finally {
      Reference.reachabilityFence(memory);
      if (!connected) {
        waitsOn(NONE);
        stack.calls().closeSocket(fd);
      }
    }
    if (!connected) {
      throw new XiaSocketException(Kind.TIMED_OUT, "the attempt was given up");
    }
    return stack.opened(new LibStream(stack, fd, stack.localAddress().host(), remote, handler));
  }

  /** Notes what the call waits on; false if it was interrupted before. */
  private synchronized boolean waitsOn(int fd) {
    waiting = fd;
    return !interrupted;
  }

  /** Makes the call return, so that neither thread nor descriptor is kept. */
  synchronized void interrupt() {
    interrupted = true;
    if (waiting != NONE) {
      Worker.interrupt(waiting);
    }
  }
}
