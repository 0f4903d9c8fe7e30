package io.xmig.xia.link;

import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.MessageBatch;
import io.xmig.xia.link.posix.NativeBuffer;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.SocketAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Unix-domain datagram socket into which any number of QEMUs are plugged: whoever sends from a
 * socket of its own in the same directory, or below it, becomes a link, so that the source and the
 * destination VM of a migration both work without any prior word.
 *
 * <pre>
 *   -netdev dgram,id=n0,local.type=unix,local.path=DIR/vm7.sock,
 *           remote.type=unix,remote.path=DIR/plug-lan.sock
 * </pre>
 *
 * A VM that is restarted under the same path goes on where it was; the link of one that does not
 * come back is taken away after 30 s, or when its place is needed.
 */
public final class UnixHub implements AutoCloseable {
  /** VMs plugged in at the same time. */
  public static final int MAX_PEERS = 64;

  private static final Logger log = LoggerFactory.getLogger(UnixHub.class);
  private static final long CONNECT_INTERVAL_NS = 500_000;
  private static final long FORGET_NS = 30_000_000_000L;
  private static final long LOOK_NS = 5_000_000_000L;
  private static final int BATCHES_PER_TURN = 4;
  private static final int RECEIVE_ARENA_BYTES = 1 << 20;

  private final NodeLoop loop;
  private final LinkOptions options;
  private final Path path;
  private final Path directory;
  private final Socket socket;
  private final NodeLoop.Registration registration;
  private final MessageBatch received;
  private final ByteBuffer[] slots;
  private final Map<String, Peer> peers = new LinkedHashMap<>();
  private final Consumer<Link> plugged;
  private final Consumer<Link> unplugged;
  private long refused;
  private boolean closed;

  /** One VM. */
  private static final class Peer extends SocketLink {
    private final SocketAddress address;
    private boolean connected;
    private long lastAttemptNs;
    private long absentSinceNs;

    Peer(NodeLoop loop, LinkOptions options, String path, Socket socket) {
      super(loop, path, options, socket, socket, false, false);
      address = SocketAddress.unix(Path.of(path));
      absentSinceNs = loop.nanoTime();
      connect();
    }

    private void connect() {
      lastAttemptNs = loop().nanoTime();
      boolean was = connected;
      connected = sending().connect(address) == 0;
      if (was && !connected) {
        absentSinceNs = lastAttemptNs;
      }
    }

    @Override
    boolean recovered(int errno) {
      if (!meansAbsent(errno)
          || !connected && loop().nanoTime() - lastAttemptNs < CONNECT_INTERVAL_NS) {
        return false;
      }
      connect();
      return connected;
    }

    boolean hasLeft(long nowNs) {
      return !connected && nowNs - absentSinceNs > FORGET_NS;
    }
  }

  /**
   * @param path of the socket; a stale one is replaced
   * @param plugged is given the link of each new VM
   * @param unplugged is given a link that makes place for another, before it is closed
   */
  public UnixHub(
      NodeLoop loop,
      LinkOptions options,
      Path path,
      Consumer<Link> plugged,
      Consumer<Link> unplugged) {
    this.loop = loop;
    this.options = options;
    this.path = path.toAbsolutePath().normalize();
    Path parent = this.path.getParent();
    if (parent == null) {
      throw new IllegalArgumentException("a plug needs a path in a directory: " + path);
    }
    this.directory = parent;
    this.plugged = plugged;
    this.unplugged = unplugged;
    int slotBytes = (options.mtu() + Link.ETHERNET_HEADER_LENGTH + 4 + 63) & -64;
    int batch = Math.max(8, Math.min(64, RECEIVE_ARENA_BYTES / slotBytes));
    received = new MessageBatch(batch, true);
    slots = new ByteBuffer[batch];
    NativeBuffer arena = new NativeBuffer(batch * slotBytes);
    for (int i = 0; i < batch; i++) {
      received.set(i, arena, i * slotBytes, slotBytes);
      slots[i] = arena.bytes().slice(i * slotBytes, slotBytes);
    }
    socket = UnixLink.bound(this.path);
    registration = loop.register(socket, Epoll.IN, this::ready);
    loop.schedule(LOOK_NS, this::forgetAbsent);
  }

  private void forgetAbsent() {
    if (closed) {
      return;
    }
    for (Map.Entry<String, Peer> entry : List.copyOf(peers.entrySet())) {
      if (entry.getValue().hasLeft(loop.nanoTime())) {
        unplug(entry.getKey(), entry.getValue());
      }
    }
    loop.schedule(LOOK_NS, this::forgetAbsent);
  }

  private void unplug(String path, Peer peer) {
    log.info("{} is unplugged", path);
    peers.remove(path);
    unplugged.accept(peer);
    peer.close();
  }

  /**
   * Makes the link of a VM that is plugged in here and has not spoken yet, so that it hears what is
   * sent to all. It goes as any other when nobody takes its frames for 30 s.
   */
  public Link expect(Path vm) {
    Peer peer = peer(vm.toAbsolutePath().normalize().toString());
    if (peer == null) {
      throw new IllegalArgumentException(
          "the socket of a VM must lie beside the plug or below it, in " + directory + ": " + vm);
    }
    return peer;
  }

  /** Datagrams from senders that have no path in this directory. */
  public long refused() {
    return refused;
  }

  private void ready(int events) {
    if ((events & Epoll.ERROR) != 0) {
      socket.takeError();
    }
    for (int round = 0; round < BATCHES_PER_TURN && !closed; round++) {
      int count = socket.receive(received, received.capacity());
      Peer peer = null;
      for (int i = 0; i < count && !closed; i++) {
        if (i == 0 || !received.sameSender(i, i - 1)) {
          peer = peer(received.senderPath(i));
        }
        deliver(peer, i);
      }
      if (count < received.capacity()) {
        return;
      }
    }
  }

  private void deliver(@Nullable Peer peer, int i) {
    int length = received.length(i);
    if (peer == null) {
      if (refused++ == 0) {
        log.warn(
            "frames from {} are refused: a VM's socket must be in {} or below it",
            received.senderPath(i).isEmpty() ? "a socket without a path" : received.senderPath(i),
            directory);
      }
    } else if (received.isTruncated(i) || length < Link.ETHERNET_HEADER_LENGTH) {
      peer.counters().oversizeDrops++;
    } else {
      peer.receive(slots[i].clear().limit(length));
    }
  }

  private @Nullable Peer peer(String sender) {
    Peer known = peers.get(sender);
    if (known != null || !isBelowUs(sender)) {
      return known;
    }
    if (peers.size() >= MAX_PEERS && !makePlace()) {
      return null;
    }
    LinkOptions small = new LinkOptions(options.mtu(), options.queueBytes(), 0);
    Peer peer = new Peer(loop, small, sender, UnixLink.sendingSocket());
    peers.put(sender, peer);
    log.info("{} is plugged in at {}", sender, path);
    plugged.accept(peer);
    return peer;
  }

  private boolean isBelowUs(String sender) {
    try {
      Path senderPath = Path.of(sender);
      return senderPath.isAbsolute()
          && senderPath.normalize().startsWith(directory)
          && !senderPath.equals(path);
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private boolean makePlace() {
    for (Map.Entry<String, Peer> entry : peers.entrySet()) {
      if (!entry.getValue().connected) {
        unplug(entry.getKey(), entry.getValue());
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    registration.cancel();
    socket.close();
    peers.values().forEach(Link::close);
    peers.clear();
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.debug("could not remove {}", path, e);
    }
  }
}
