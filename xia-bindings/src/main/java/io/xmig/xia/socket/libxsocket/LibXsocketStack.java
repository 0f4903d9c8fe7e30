package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.SockaddrX;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.DatagramHandler;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StackCapabilities;
import io.xmig.xia.socket.StreamAcceptor;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.socket.XiaStack;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stack of a host that runs the Click-based prototype: every call goes through {@code
 * libXsocket}. Calls that wait run on threads of their own, handlers and completions on one loop.
 *
 * @threading as {@link XiaStack}
 * @source XIA prototype v1.1, docs/xsocket-api.md; limits: docs/prototype.md
 */
public final class LibXsocketStack implements XiaStack {
  /** What the prototype's library can read back whole; ours takes the nominal 15,600. */
  private static final int PLAIN_CHUNK_BYTES = 15_400;

  private static final int PLAIN_DATAGRAM_BYTES = 1_300;
  private static final int XID_TEXT = 64;

  /** The library keeps one port for the whole process. */
  private static int users;

  private static int usedPort;
  private static final Logger LOG = LoggerFactory.getLogger(LibXsocketStack.class);

  private final CallLoop loop = new CallLoop();
  private final Calls calls = new Calls(loop);
  private final Set<Endpoint> open = ConcurrentHashMap.newKeySet();
  private final CopyOnWriteArrayList<Consumer<LocalAddress>> addressListeners =
      new CopyOnWriteArrayList<>();
  private final ClickHandlers handlers;
  private final ClickWatch watch;
  private final boolean flowControl;
  private volatile int control;
  private volatile LocalAddress address;
  private volatile boolean closed;

  /**
   * Loads the library and asks Click for the host's address.
   *
   * @param library file name
   * @param port of Click; the same for all stacks of a process
   * @param controlPort TCP port of its ControlSocket, which is asked when a handler is called
   * @throws LibXsocketException when the library cannot be used
   * @throws XiaSocketException when Click does not answer
   */
  public static LibXsocketStack open(String library, ClickPort port, int controlPort) {
    Xsocket.load(library);
    synchronized (LibXsocketStack.class) {
      if (users > 0 && usedPort != port.number()) {
        throw new LibXsocketException(
            "libXsocket talks to one Click per process",
            Map.of("in_use", usedPort, "asked_for", port.number()));
      }
      port.set();
      LibXsocketStack opened = new LibXsocketStack(library, port, controlPort);
      users++;
      usedPort = port.number();
      return opened;
    }
  }

  private LibXsocketStack(String library, ClickPort port, int controlPort) {
    try {
      control = Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_DGRAM, 0);
      flowControl = Extensions.window(library, control) > 0;
      address = readAddress();
    } catch (LastErrorException e) {
      loop.close();
      throw Worker.failure("Xsocket", e);
    }
    handlers = new ClickHandlers(controlPort, address.hid(), loop::execute);
    watch = new ClickWatch(this, port.number());
    watch.start();
  }

  LocalAddress readAddress() {
    byte[] ad = new byte[XID_TEXT];
    byte[] hid = new byte[XID_TEXT];
    byte[] ip4 = new byte[XID_TEXT];
    synchronized (this) {
      Xsocket.XreadLocalHostAddr(control, ad, XID_TEXT, hid, XID_TEXT, ip4, XID_TEXT);
    }
    String fourId = text(ip4);
    Xid four = fourId.isEmpty() ? Xid.NULL_4ID : Xid.parse(fourId);
    return new LocalAddress(
        Xid.parse(text(ad)), Xid.parse(text(hid)), four.equals(Xid.NULL_4ID) ? null : four);
  }

  private static String text(byte[] c) {
    int length = 0;
    while (length < c.length && c[length] != 0) {
      length++;
    }
    return new String(c, 0, length, StandardCharsets.US_ASCII);
  }

  /** The address that Click told last; listeners hear when it is another one. On the loop. */
  void moved(LocalAddress now) {
    if (!now.equals(address)) {
      address = now;
      addressListeners.forEach(l -> l.accept(now));
    }
  }

  /** Click is gone, and with it every connection. On the loop. */
  void lost(XiaSocketException cause) {
    open.forEach(endpoint -> endpoint.lost(cause));
  }

  /** Opens again what can be opened again on a Click that was restarted. On a thread that waits. */
  @Nullable Void reopen() {
    int old = control;
    control = Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_DGRAM, 0);
    calls.closeSocket(old);
    LocalAddress before = address;
    LocalAddress now = readAddress();
    address = now; // sockets that are opened again are bound to it
    open.forEach(Endpoint::reopen);
    if (!now.equals(before)) {
      loop.execute(() -> addressListeners.forEach(l -> l.accept(now)));
    }
    return null;
  }

  Calls calls() {
    return calls;
  }

  boolean hasFlowControl() {
    return flowControl;
  }

  void report(XiaSocketException failure) {
    LOG.warn("{}", failure.getMessage());
  }

  void forget(Endpoint socket) {
    open.remove(socket);
  }

  @Override
  public EventLoop loop() {
    return loop;
  }

  @Override
  public StackCapabilities capabilities() {
    return new StackCapabilities(
        "libxsocket",
        flowControl ? Xsocket.XIA_MAXBUF : PLAIN_CHUNK_BYTES,
        flowControl ? Xsocket.XIA_MAXBUF : PLAIN_DATAGRAM_BYTES,
        false,
        false,
        false);
  }

  @Override
  public LocalAddress localAddress() {
    return address;
  }

  @Override
  public Runnable onAddressChange(Consumer<LocalAddress> listener) {
    addressListeners.add(listener);
    return () -> addressListeners.remove(listener);
  }

  @Override
  public Runnable onLinkEvent(Consumer<LinkEvent> listener) {
    return () -> {}; // the library knows nothing of links
  }

  @Override
  public CompletableFuture<Void> updateAd(Xid ad, @Nullable Xid fourId) {
    return calls.onLoop(
        () -> {
          Xsocket.XupdateAD(control, ad.toString(), fourId == null ? null : fourId.toString());
          return null;
        });
  }

  @Override
  public CompletableFuture<@Nullable Dag> nameServer() {
    return calls.onLoop(
        () -> {
          SockaddrMemory dag = new SockaddrMemory();
          synchronized (this) {
            return Xsocket.XreadNameServerDAG(control, dag.pointer()) < 0 ? null : dag.dag();
          }
        });
  }

  @Override
  public CompletableFuture<Void> updateNameServer(Dag nameServer) {
    return calls.onLoop(
        () -> {
          Xsocket.XupdateNameServerDAG(control, nameServer.toString());
          return null;
        });
  }

  /** Opens a socket and binds it; the descriptor is closed again if that fails. */
  static int bound(int type, @Nullable Dag address) {
    int fd = Xsocket.Xsocket(Xsocket.AF_XIA, type, 0);
    if (address != null) {
      SockaddrMemory memory = SockaddrMemory.of(address);
      try {
        Xsocket.Xbind(fd, memory.pointer(), SockaddrX.LENGTH);
      } catch (LastErrorException e) {
        Xsocket.Xclose(fd);
        throw Worker.failure("Xbind", e);
      } finally {
        java.lang.ref.Reference.reachabilityFence(memory);
      }
    }
    return fd;
  }

  <T extends Endpoint> T opened(T socket) {
    open.add(socket);
    return socket;
  }

  @Override
  public CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    return calls.onLoop(
        () ->
            opened(
                new LibListener(
                    this, () -> bound(Xsocket.XSOCK_STREAM, address.service(sid)), sid, acceptor)));
  }

  @Override
  public CompletableFuture<StreamConnection> connect(
      Dag remote, Duration timeout, StreamHandler handler) {
    Connecting attempt = new Connecting(this, remote, handler);
    CompletableFuture<StreamConnection> connected = attempt.start(calls, loop);
    CompletableFuture<StreamConnection> result = new CompletableFuture<>();
    EventLoop.Timer limit =
        loop.schedule(
            timeout.toNanos(),
            () -> {
              attempt.interrupt();
              result.completeExceptionally(
                  new XiaSocketException(
                      Kind.TIMED_OUT, "no answer to the connection request", Map.of("to", remote)));
            });
    connected.whenComplete(
        (stream, failure) -> {
          limit.cancel();
          if (failure != null) {
            result.completeExceptionally(failure);
          } else if (!result.complete(stream)) {
            stream.abort();
          } else {
            ((LibStream) stream).start();
          }
        });
    return result;
  }

  @Override
  public CompletableFuture<DatagramSocket> openDatagram(
      @Nullable Xid sid, DatagramHandler handler) {
    return calls.onLoop(
        () ->
            opened(
                new LibDatagrams(
                    this,
                    () -> bound(Xsocket.XSOCK_DGRAM, sid == null ? null : address.service(sid)),
                    () -> sid == null ? address.host() : address.service(sid),
                    (source, payload) -> handler.onDatagram(source, payload, -1))));
  }

  @Override
  public CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler) {
    return calls.onLoop(
        () ->
            opened(
                new LibDatagrams(
                    this,
                    LibXsocketStack::hearingXcmp,
                    () -> address.host(),
                    (source, packet) ->
                        handler.onMessage(source, LibDatagrams.messageOf(packet)))));
  }

  private static int hearingXcmp() {
    int fd = Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_RAW, 0);
    try {
      Xsocket.Xsetsockopt(
          fd, Xsocket.XOPT_NEXT_PROTO, new IntByReference(Xsocket.XPROTO_XCMP), Integer.BYTES);
    } catch (LastErrorException e) {
      Xsocket.Xclose(fd);
      throw e;
    }
    return fd;
  }

  @Override
  public CompletableFuture<CacheSlice> allocateSlice(SliceOptions options) {
    return calls.onLoop(
        () -> {
          int policy =
              (options.policy() == SliceOptions.Policy.LRU
                      ? Xsocket.POLICY_LRU
                      : Xsocket.POLICY_FIFO)
                  | (options.retainOnClose()
                      ? Xsocket.POLICY_RETAIN_ON_EXIT
                      : Xsocket.POLICY_REMOVE_ON_EXIT);
          long size = Math.min(options.maxBytes(), Integer.MAX_VALUE);
          long ttl = options.ttl().isZero() ? 86_400 : options.ttl().toSeconds();
          return opened(
              new LibSlice(
                  this,
                  () -> {
                    Pointer context = Xsocket.XallocCacheSlice(policy, (int) ttl, (int) size);
                    if (context == null) {
                      throw new XiaSocketException(
                          Kind.NODE, "XallocCacheSlice failed: does Click run?");
                    }
                    return context;
                  }));
        });
  }

  @Override
  public CompletableFuture<ChunkSocket> openChunks() {
    IntSupplier opener = () -> Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_CHUNK, 0);
    return calls.onLoop(
        () ->
            opened(flowControl ? new DeliveredChunks(this, opener) : new LibChunks(this, opener)));
  }

  @Override
  public CompletableFuture<String> readHandler(String path) {
    return handlers.read(path);
  }

  @Override
  public CompletableFuture<Void> writeHandler(String path, String value) {
    return handlers.write(path, value);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    watch.stop();
    handlers.close();
    open.forEach(Endpoint::close);
    synchronized (LibXsocketStack.class) {
      users--;
    }
    calls.closeSocket(control);
    calls.close();
    loop.close();
  }
}
