package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks once a second whether Click still is the one that was there, and what its address is: the
 * library has an event for neither.
 *
 * @threading on the stack's loop
 */
final class ClickWatch {
  private static final long PERIOD_NS = 1_000_000_000L;
  private static final Logger LOG = LoggerFactory.getLogger(ClickWatch.class);

  private final LibXsocketStack stack;
  private final int port;
  private long owner;
  private boolean lost;
  private volatile boolean stopped;

  ClickWatch(LibXsocketStack stack, int port) {
    this.stack = stack;
    this.port = port;
  }

  void start() {
    owner = UdpTable.ownerOf(port);
    again();
  }

  void stop() {
    stopped = true;
  }

  private void again() {
    stack.loop().schedule(PERIOD_NS, this::look);
  }

  private void look() {
    if (stopped) {
      return;
    }
    long now = UdpTable.ownerOf(port);
    if (now == UdpTable.NOBODY || now != owner) {
      changed(now);
      return;
    }
    stack
        .calls()
        .onLoop(stack::readAddress)
        .whenComplete(
            (address, failure) -> {
              if (failure != null) {
                LOG.warn("Click does not tell its address: {}", failure.getMessage());
              } else {
                stack.moved(address);
              }
              again();
            });
  }

  private void changed(long now) {
    if (!lost) {
      lost = true;
      LOG.warn("Click on UDP port {} is gone; its connections are lost", port);
      stack.lost(
          new XiaSocketException(
              Kind.NODE,
              "Click was stopped or restarted: it no longer knows this socket",
              Map.of("port", port)));
    }
    if (now == UdpTable.NOBODY) {
      again();
      return;
    }
    stack
        .calls()
        .onLoop(stack::reopen)
        .whenComplete(
            (done, failure) -> {
              if (failure == null) {
                LOG.info("Click answers again; listening and datagram sockets are bound again");
                lost = false;
                owner = now;
              } else {
                LOG.warn("Click is back, but: {}", failure.getMessage());
              }
              again();
            });
  }
}
