package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.SocketAddress;
import io.xmig.xia.link.posix.Sockets;
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
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Xsocket API on a node in another process, by its Unix-domain socket. Has a loop of its own.
 *
 * <p>If the node's process ends, every pending operation fails with {@link Kind#NODE} and the name
 * of the socket, and so does every later one.
 *
 * @threading as {@link XiaStack}; {@link #close} from any thread
 */
public final class IpcStack implements XiaStack {
  private static final Logger log = LoggerFactory.getLogger(IpcStack.class);
  private static final Duration WELCOME_TIMEOUT = Duration.ofSeconds(10);
  private static final long CONNECT_RETRY_NS = 5_000_000;
  private static final long IDLE_BUFFER_BYTES = 16 << 20;

  private final NodeLoop loop;
  private final Path path;
  private final IpcChannel channel;
  private final BufferPool pool = new BufferPool(IDLE_BUFFER_BYTES);
  private final CompletableFuture<Void> welcome = new CompletableFuture<>();
  private final Map<Integer, Reply<?>> replies = new HashMap<>();
  private final Map<Integer, ClientHandle> handles = new HashMap<>();
  private final List<Consumer<LocalAddress>> addressListeners = new CopyOnWriteArrayList<>();
  private final List<Consumer<LinkEvent>> linkListeners = new CopyOnWriteArrayList<>();
  private int lastTag;
  private int lastHandle;
  private volatile @Nullable StackCapabilities capabilities;
  private @Nullable LocalAddress address;
  private @Nullable XiaSocketException gone;
  private boolean closing;

  /** What to do with the answer to a request. */
  private record Reply<T>(CompletableFuture<T> result, Function<ByteBuffer, T> decode) {
    void complete(ByteBuffer body) {
      result.complete(decode.apply(body));
    }
  }

  private IpcStack(NodeLoop loop, Path path, Socket socket) {
    this.loop = loop;
    this.path = path;
    this.channel = new IpcChannel(loop, socket, pool, new Incoming());
    loop.own(() -> channel.close("closed"));
    channel.begin(Op.HELLO, 0, 0, 16).putInt(Op.MAGIC).putInt(Op.VERSION).putLong(processId());
    channel.end();
  }

  private static long processId() {
    return ProcessHandle.current().pid();
  }

  /**
   * Connects to a node.
   *
   * @param path the socket of its local API
   * @throws XiaSocketException NODE if nobody listens there, with what to start
   */
  public static IpcStack connect(Path path) {
    NodeLoop loop = NodeLoop.start("xia-" + path.getFileName());
    try {
      IpcStack stack =
          loop.call(() -> new IpcStack(loop, path, connected(path)))
              .get(WELCOME_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      stack.welcome.get(WELCOME_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      return stack;
    } catch (InterruptedException e) {
      loop.close();
      Thread.currentThread().interrupt();
      throw new XiaSocketException(
          Kind.NODE, "interrupted while connecting to the node", Map.of("socket", path));
    } catch (ExecutionException e) {
      loop.close();
      throw Body.asSocketException(e);
    } catch (TimeoutException e) {
      loop.close();
      throw new XiaSocketException(
          Kind.NODE, "the node does not answer", Map.of("socket", path, "waited", WELCOME_TIMEOUT));
    }
  }

  private static Socket connected(Path path) {
    SocketAddress address;
    try {
      address = SocketAddress.unix(path);
    } catch (IllegalArgumentException e) {
      throw new XiaSocketException(Kind.BAD_ADDRESS, String.valueOf(e.getMessage()));
    }
    Socket socket = Sockets.unixStream();
    int errno = -socket.connect(address);
    for (int i = 0; errno == Errno.EAGAIN && i < 100; i++) { // many clients at once
      java.util.concurrent.locks.LockSupport.parkNanos(CONNECT_RETRY_NS);
      errno = -socket.connect(address);
    }
    if (errno == 0) {
      return socket;
    }
    socket.close();
    String hint =
        switch (errno) {
          case Errno.ENOENT, Errno.ECONNREFUSED ->
              "start a node: xmig node FILE.click --run " + parent(path);
          case Errno.EACCES, Errno.EPERM -> "the node runs as another user";
          default -> "is this the .api socket of a node?";
        };
    throw new XiaSocketException(
        Kind.NODE,
        "no node answers",
        Map.of("socket", path, "errno", Errno.name(errno), "hint", hint));
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    return parent == null ? Path.of(".") : parent;
  }

  // ---------------------------------------------------------------- what handles need

  IpcChannel channel() {
    return channel;
  }

  BufferPool pool() {
    return pool;
  }

  void forget(int handle) {
    handles.remove(handle);
  }

  /** Throws what became of the node if it has gone. */
  void needNode() {
    XiaSocketException cause = gone;
    if (cause != null) {
      throw cause;
    }
  }

  boolean isGone() {
    return gone != null;
  }

  /** Sends a request whose body {@code encode} writes; the result completes with the answer. */
  <T> CompletableFuture<T> request(
      Op op, int handle, int maxBody, Consumer<ByteBuffer> encode, Function<ByteBuffer, T> decode) {
    CompletableFuture<T> result = new CompletableFuture<>();
    XiaSocketException cause = gone;
    if (cause != null) {
      result.completeExceptionally(cause);
      return result;
    }
    int tag = expect(result, decode);
    encode.accept(channel.begin(op, handle, tag, maxBody));
    channel.end();
    return result;
  }

  private <T> int expect(CompletableFuture<T> result, Function<ByteBuffer, T> decode) {
    do {
      lastTag = (lastTag + 1) & Integer.MAX_VALUE;
    } while (replies.containsKey(lastTag));
    replies.put(lastTag, new Reply<>(result, decode));
    return lastTag;
  }

  /** Publishes a chunk: the body is sent from where it lies. */
  CompletableFuture<Void> put(int handle, Xid cid, ByteBuffer data) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    XiaSocketException cause = gone;
    if (cause != null) {
      result.completeExceptionally(cause);
      return result;
    }
    int tag = expect(result, IpcStack::nothing);
    channel.sendBulk(Op.PUT, handle, tag, cid, data, false);
    return result;
  }

  @SuppressWarnings("NullAway") // the value of a CompletableFuture<Void>
  private static Void nothing(ByteBuffer body) {
    return null;
  }

  private <T extends ClientHandle> CompletableFuture<T> open(
      Op op, int maxBody, Consumer<ByteBuffer> encode, Function<Integer, T> make) {
    do {
      lastHandle = (lastHandle + 1) & Integer.MAX_VALUE;
    } while (handles.containsKey(lastHandle));
    int handle = lastHandle;
    T object = make.apply(handle);
    handles.put(handle, object);
    CompletableFuture<T> result =
        request(
            op,
            handle,
            maxBody,
            encode,
            body -> {
              object.opened(body);
              return object;
            });
    return result.whenComplete(
        (opened, failure) -> {
          if (failure != null) {
            handles.remove(handle);
          }
        });
  }

  // ---------------------------------------------------------------- the API

  @Override
  public EventLoop loop() {
    return loop;
  }

  @Override
  public StackCapabilities capabilities() {
    StackCapabilities known = capabilities;
    if (known == null) {
      throw new IllegalStateException("not connected yet");
    }
    return known;
  }

  @Override
  public LocalAddress localAddress() {
    LocalAddress known = address;
    if (known == null) {
      throw new IllegalStateException("not connected yet");
    }
    return known;
  }

  @Override
  public Runnable onAddressChange(Consumer<LocalAddress> listener) {
    addressListeners.add(listener);
    return () -> addressListeners.remove(listener);
  }

  @Override
  public Runnable onLinkEvent(Consumer<LinkEvent> listener) {
    linkListeners.add(listener);
    return () -> linkListeners.remove(listener);
  }

  @Override
  public CompletableFuture<Void> updateAd(Xid ad, @Nullable Xid fourId) {
    return request(
        Op.UPDATE_AD,
        0,
        2 * Xid.LENGTH,
        out -> {
          Body.putXid(out, ad);
          Body.putXid(out, fourId);
        },
        IpcStack::nothing);
  }

  @Override
  public CompletableFuture<@Nullable Dag> nameServer() {
    return request(Op.NAME_SERVER, 0, 0, out -> {}, Body::dagOrNull);
  }

  @Override
  public CompletableFuture<Void> updateNameServer(Dag nameServer) {
    return request(
        Op.UPDATE_NAME_SERVER,
        0,
        Op.Limits.DAG,
        out -> Body.putDag(out, nameServer),
        IpcStack::nothing);
  }

  @Override
  public CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    return open(
            Op.LISTEN,
            Xid.LENGTH + 4,
            out -> {
              Body.putXid(out, sid);
              out.putInt(backlog);
            },
            handle -> new ClientListener(this, handle, acceptor))
        .thenApply(listener -> listener);
  }

  /** A connection that the node has accepted for one of our listeners. */
  void accepted(int handle, StreamAcceptor acceptor, ByteBuffer dags) {
    ClientStream stream = new ClientStream(this, handle);
    handles.put(handle, stream);
    stream.opened(dags);
    stream.handler(acceptor.accept(stream));
  }

  @Override
  public CompletableFuture<StreamConnection> connect(
      Dag remote, Duration timeout, StreamHandler handler) {
    return open(
            Op.CONNECT,
            8 + Op.Limits.DAG,
            out -> {
              out.putLong(timeout.toNanos());
              Body.putDag(out, remote);
            },
            handle -> {
              ClientStream stream = new ClientStream(this, handle);
              stream.handler(handler);
              return stream;
            })
        .thenApply(stream -> stream);
  }

  @Override
  public CompletableFuture<DatagramSocket> openDatagram(
      @Nullable Xid sid, DatagramHandler handler) {
    return open(
            Op.OPEN_DATAGRAM,
            Xid.LENGTH,
            out -> Body.putXid(out, sid),
            handle -> new ClientDatagram(this, handle, handler))
        .thenApply(socket -> socket);
  }

  @Override
  public CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler) {
    return open(Op.OPEN_XCMP, 0, out -> {}, handle -> new ClientXcmp(this, handle, handler))
        .thenApply(socket -> socket);
  }

  @Override
  public CompletableFuture<CacheSlice> allocateSlice(SliceOptions options) {
    return open(
            Op.ALLOCATE_SLICE,
            18,
            out -> {
              out.put((byte) options.policy().ordinal());
              out.putLong(options.maxBytes()).putLong(options.ttl().toNanos());
              out.put((byte) (options.retainOnClose() ? 1 : 0));
            },
            handle -> new ClientSlice(this, handle))
        .thenApply(slice -> slice);
  }

  @Override
  public CompletableFuture<ChunkSocket> openChunks() {
    return open(Op.OPEN_CHUNKS, 0, out -> {}, handle -> new ClientChunks(this, handle))
        .thenApply(chunks -> chunks);
  }

  @Override
  public CompletableFuture<String> readHandler(String path) {
    byte[] utf8 = Body.utf8(path, Op.Limits.PATH);
    return request(Op.READ_HANDLER, 0, utf8.length, out -> out.put(utf8), Body::text);
  }

  @Override
  public CompletableFuture<Void> writeHandler(String path, String value) {
    byte[] to = Body.utf8(path, Op.Limits.PATH);
    byte[] utf8 = value.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    int length = 2 + to.length + utf8.length;
    if (length > Op.Limits.VALUE) {
      return CompletableFuture.failedFuture(
          new XiaSocketException(
              Kind.MESSAGE_TOO_LONG,
              "handler value too long",
              Map.of("bytes", utf8.length, "most", Op.Limits.VALUE)));
    }
    return request(
        Op.WRITE_HANDLER,
        0,
        length,
        out -> {
          Body.putShortText(out, to);
          out.put(utf8);
        },
        IpcStack::nothing);
  }

  /** Waits until what was sent has left for the node, then ends the connection and the loop. */
  @Override
  public void close() {
    if (loop.inLoop()) {
      closeNow();
      return;
    }
    loop.execute(this::closeNow);
    try {
      loop.ended().get(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.debug("the node takes nothing any more", e);
    }
    loop.close();
  }

  private void closeNow() {
    if (closing) {
      return;
    }
    closing = true;
    for (ClientHandle handle : new ArrayList<>(handles.values())) {
      handle.close();
    }
    if (channel.isClosed()) {
      loop.close();
    } else {
      channel.closeWhenSent();
    }
  }

  // ---------------------------------------------------------------- what the node says

  /** Hands the node's messages to whom they concern. */
  private final class Incoming implements IpcChannel.Receiver {
    @Override
    public void message(Op op, int handle, int tag, ByteBuffer body) {
      switch (op) {
        case WELCOME -> welcomed(body);
        case DONE -> {
          Reply<?> reply = replies.remove(tag);
          if (reply != null) {
            reply.complete(body);
          }
        }
        case FAILED -> {
          Reply<?> reply = replies.remove(tag);
          if (reply != null) {
            reply.result().completeExceptionally(Body.cause(body));
          }
        }
        case ADDRESS -> {
          LocalAddress now = Body.address(body);
          address = now;
          addressListeners.forEach(listener -> guarded(() -> listener.accept(now)));
        }
        case LINK_EVENT -> {
          LinkEvent.Kind[] kinds = LinkEvent.Kind.values();
          int kind = Body.int8(body);
          if (kind < kinds.length) { // a newer node may know more signs
            LinkEvent event = new LinkEvent(kinds[kind], Body.int32(body), Body.int64(body));
            linkListeners.forEach(listener -> guarded(() -> listener.accept(event)));
          }
        }
        default -> {
          ClientHandle object = handles.get(handle);
          if (object != null) { // else it was closed while this was on its way
            guarded(() -> object.message(op, body));
          }
        }
      }
    }

    private void welcomed(ByteBuffer body) {
      int version = Body.int32(body);
      if (version != Op.VERSION) {
        throw new IpcProtocolException(
            "the node speaks another protocol", Map.of("version", version, "ours", Op.VERSION));
      }
      int maxChunk = Body.int32(body);
      int maxDatagram = Body.int32(body);
      boolean ranges = Body.int8(body) != 0;
      boolean reliableClose = Body.int8(body) != 0;
      boolean pushes = Body.int8(body) != 0;
      address = Body.address(body);
      capabilities =
          new StackCapabilities(
              Body.text(body), maxChunk, maxDatagram, ranges, reliableClose, pushes);
      welcome.complete(null);
    }

    @Override
    public @Nullable ByteBuffer bulkTarget(Op op, int handle, int tag, Xid cid, int length) {
      if (op != Op.CHUNK) {
        throw new IpcProtocolException("not a message of a node", Map.of("op", op));
      }
      return handles.get(handle) instanceof ClientChunks ? pool.take(length) : null;
    }

    @Override
    public void bulk(Op op, int handle, int tag, Xid cid, @Nullable ByteBuffer data) {
      if (data != null) {
        if (handles.get(handle) instanceof ClientChunks chunks) {
          guarded(() -> chunks.arrived(cid, data));
        } else {
          pool.release(data);
        }
      }
    }

    @Override
    public void drained() {
      // writers are bounded by their streams' windows, so nobody waits for this
    }

    @Override
    public void closed(String why) {
      nodeGone(why);
    }
  }

  private void nodeGone(String why) {
    XiaSocketException cause =
        closing
            ? new XiaSocketException(Kind.CLOSED, "the stack is closed")
            : new XiaSocketException(
                Kind.NODE,
                "the connection to the node is lost",
                Map.of("socket", path, "why", why));
    gone = cause;
    welcome.completeExceptionally(cause);
    List<Reply<?>> waiting = new ArrayList<>(replies.values());
    replies.clear();
    waiting.forEach(reply -> guarded(() -> reply.result().completeExceptionally(cause)));
    List<ClientHandle> open = new ArrayList<>(handles.values());
    handles.clear();
    open.forEach(handle -> guarded(() -> handle.nodeGone(cause)));
    if (closing) {
      loop.close();
    }
  }

  /** An application's handler that fails must not take the connection with it. */
  private static void guarded(Runnable call) {
    try {
      call.run();
    } catch (IpcProtocolException e) {
      throw e;
    } catch (RuntimeException e) {
      log.error("a handler failed", e);
    }
  }
}
