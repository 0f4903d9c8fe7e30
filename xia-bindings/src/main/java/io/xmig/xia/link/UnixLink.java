package io.xmig.xia.link;

import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.PosixException;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.SocketAddress;
import io.xmig.xia.link.posix.Sockets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A link of Unix-domain datagrams, one frame each: between two node processes, or to the {@code
 * dgram} netdev of a QEMU.
 *
 * <p>The other end may be absent, come late, go and come back; frames for nobody are dropped and
 * counted. A peer that does not read holds frames back (the kernel's queue, then ours, then drops).
 *
 * <p>Both ends connect to each other where both are ours, since the kernel then bounds what is in
 * flight by bytes ({@code SO_SNDBUF}) instead of by {@code net.unix.max_dgram_qlen} = 10 datagrams.
 * A connected end hears only its peer, so it looks after the peer now and then.
 */
public final class UnixLink extends SocketLink {
  private static final Logger log = LoggerFactory.getLogger(UnixLink.class);
  private static final long CONNECT_INTERVAL_NS = 500_000;
  private static final long WATCH_INTERVAL_NS = 250_000_000;
  private static final int SOCKET_BUFFER_BYTES = 2 << 20;

  /** What is at the other end. */
  private enum Kind {
    PAIR,
    PLUG,
    PLUGGED
  }

  private final Kind kind;
  private final Path local;
  private final SocketAddress remote;
  private final Runnable watch = this::watch;
  private boolean connected;
  private long lastAttemptNs;

  private UnixLink(
      NodeLoop loop,
      LinkOptions options,
      Path local,
      SocketAddress remote,
      Socket receiving,
      Socket sending,
      Kind kind) {
    super(
        loop,
        local.getFileName().toString(),
        options,
        receiving,
        sending,
        false,
        kind == Kind.PAIR);
    this.local = local;
    this.remote = remote;
    this.kind = kind;
    this.lastAttemptNs = loop.nanoTime() - CONNECT_INTERVAL_NS;
    if (kind == Kind.PLUGGED) {
      connected = true; // in the sense that there is nothing to connect
      sendTo(remote);
      return;
    }
    connect();
    if (kind == Kind.PAIR) {
      loop.schedule(WATCH_INTERVAL_NS, watch);
    }
  }

  /**
   * One end of a link between two processes of ours.
   *
   * @param local path of this end's socket; a stale one is replaced
   * @param remote path of the other end's
   */
  public static UnixLink pair(NodeLoop loop, LinkOptions options, Path local, Path remote) {
    SocketAddress peer = SocketAddress.unix(remote);
    Socket socket = bound(local);
    return new UnixLink(loop, options, local, peer, socket, socket, Kind.PAIR);
  }

  /**
   * A place to plug one QEMU in: {@code -netdev
   * dgram,local.type=unix,local.path=REMOTE,remote.type=unix,remote.path=LOCAL}. Takes frames from
   * anybody who may write to {@code local}.
   */
  public static UnixLink plug(NodeLoop loop, LinkOptions options, Path local, Path remote) {
    SocketAddress peer = SocketAddress.unix(remote);
    Socket receiving = bound(local);
    return new UnixLink(loop, options, local, peer, receiving, sendingSocket(), Kind.PLUG);
  }

  /**
   * The other end of a {@link #plug} or {@link UnixHub}, as a QEMU makes it: one socket, bound and
   * not connected, so that the hub sees who sends.
   */
  public static UnixLink plugged(NodeLoop loop, LinkOptions options, Path local, Path plug) {
    SocketAddress peer = SocketAddress.unix(plug);
    Socket socket = bound(local);
    return new UnixLink(loop, options, local, peer, socket, socket, Kind.PLUGGED);
  }

  static Socket sendingSocket() {
    Socket socket = Sockets.unixDatagram();
    socket.buffers(SOCKET_BUFFER_BYTES, SOCKET_BUFFER_BYTES);
    return socket;
  }

  /** A datagram socket at this path; what a dead process left there is removed. */
  static Socket bound(Path path) {
    SocketAddress address = SocketAddress.unix(path);
    removeStale(path, address);
    Socket socket = sendingSocket();
    try {
      socket.bind(address);
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static void removeStale(Path path, SocketAddress address) {
    if (!Files.exists(path)) {
      return;
    }
    try (Socket probe = Sockets.unixDatagram()) {
      int errno = -probe.connect(address);
      if (errno != Errno.ECONNREFUSED) {
        throw new PosixException("unix-datagram-socket bind", path.toString(), Errno.EADDRINUSE);
      }
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.debug("the stale socket {} stays", path, e);
    }
  }

  /** Whether the other end was there the last time we looked. */
  public boolean isConnected() {
    return connected;
  }

  private void connect() {
    lastAttemptNs = loop().nanoTime();
    int errno = -sending().connect(remote);
    if (errno == 0 && !connected) {
      log.debug("{} has reached {}", local, remote);
    }
    connected = errno == 0;
  }

  /** Connects or, by an empty datagram, finds out that the other end has gone. */
  private void watch() {
    if (isClosed()) {
      return;
    }
    if (!connected || gone()) {
      connect();
    }
    loop().schedule(WATCH_INTERVAL_NS, watch);
  }

  private boolean gone() {
    return !hasQueued() && meansAbsent(-sending().send(NOTHING, 0, 0));
  }

  private static final io.xmig.xia.link.posix.NativeBuffer NOTHING =
      new io.xmig.xia.link.posix.NativeBuffer(8);

  @Override
  boolean meansAbsent(int errno) {
    // EPERM: the other end is still connected to our predecessor and will notice
    return errno == Errno.EPERM || super.meansAbsent(errno);
  }

  /** Whoever is not connected is always told that it may send. */
  @Override
  boolean announcesRoom() {
    return kind != Kind.PLUGGED;
  }

  @Override
  boolean recovered(int errno) {
    if (!meansAbsent(errno) || kind == Kind.PLUGGED) {
      return false;
    }
    if (connected || loop().nanoTime() - lastAttemptNs >= CONNECT_INTERVAL_NS) {
      connect();
      return connected;
    }
    return false;
  }

  @Override
  public void close() {
    if (isClosed()) {
      return;
    }
    super.close();
    try {
      Files.deleteIfExists(local);
    } catch (IOException e) {
      log.debug("could not remove {}", Arrays.asList(local), e);
    }
  }
}
