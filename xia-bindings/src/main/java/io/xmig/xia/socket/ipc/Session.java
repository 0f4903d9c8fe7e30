package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StackCapabilities;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One client of a node: its requests, and what it holds of the node. */
final class Session implements IpcChannel.Receiver {
  /** Sockets, connections and slices of one client. */
  static final int MAX_HANDLES = 4096;

  /** Handles that the node gives (to accepted connections) have this bit, the client's have not. */
  static final int NODE_HANDLE = 1 << 31;

  private static final Logger log = LoggerFactory.getLogger(Session.class);

  private final IpcChannel channel;
  private final XiaStack stack;
  private final StackCapabilities capabilities;
  private final BufferPool pool;
  private final Consumer<Session> ended;
  private final NodeLoop loop;
  private final Map<Integer, AutoCloseable> handles = new HashMap<>();
  private final ArrayList<Runnable> subscriptions = new ArrayList<>();
  private final ArrayList<SessionStream> lingering = new ArrayList<>();
  private int nextNodeHandle;
  private boolean greeted;
  private boolean over;

  Session(NodeLoop loop, Socket socket, XiaStack stack, BufferPool pool, Consumer<Session> ended) {
    this.loop = loop;
    this.stack = stack;
    this.capabilities = stack.capabilities();
    this.pool = pool;
    this.ended = ended;
    this.channel = new IpcChannel(loop, socket, pool, this);
  }

  IpcChannel channel() {
    return channel;
  }

  BufferPool pool() {
    return pool;
  }

  NodeLoop loop() {
    return loop;
  }

  boolean isOver() {
    return over;
  }

  // ---------------------------------------------------------------- requests

  @Override
  public void message(Op op, int handle, int tag, ByteBuffer body) {
    if (!greeted && op != Op.HELLO) {
      throw new IpcProtocolException("first message is not HELLO", Map.of("op", op));
    }
    switch (op) {
      case HELLO -> hello(body);
      case UPDATE_AD ->
          answer(tag, () -> stack.updateAd(Body.xid(body, XidType.AD), Body.xidOrNull(body)));
      case NAME_SERVER ->
          answer(tag, stack::nameServer, (dag, out) -> Body.putDag(out, dag), Op.Limits.DAG);
      case UPDATE_NAME_SERVER -> answer(tag, () -> stack.updateNameServer(Body.dag(body)));
      case LISTEN -> listen(handle, tag, body);
      case CONNECT -> connect(handle, tag, body);
      case OPEN_DATAGRAM -> openDatagram(handle, tag, body);
      case OPEN_XCMP -> openXcmp(handle, tag);
      case ALLOCATE_SLICE -> allocateSlice(handle, tag, body);
      case OPEN_CHUNKS -> openChunks(handle, tag);
      case READ_HANDLER -> {
        String path = Body.text(body);
        request(tag, () -> stack.readHandler(path), this::doneText);
      }
      case WRITE_HANDLER -> {
        String path = Body.shortText(body);
        String value = Body.text(body);
        answer(tag, () -> stack.writeHandler(path, value));
      }
      case CLOSE -> close(handle);
      case DATA -> stream(handle, s -> s.data(body));
      case CREDIT -> {
        int bytes = Body.int32(body);
        stream(handle, s -> s.credit(bytes));
      }
      case SHUTDOWN -> stream(handle, SessionStream::shutdown);
      case ABORT -> {
        stream(handle, SessionStream::abort);
        handles.remove(handle);
      }
      case SEND_DATAGRAM -> sendDatagram(handle, body, -1);
      case SEND_ON_LINK -> sendDatagram(handle, body, Body.int32(body));
      case ECHO -> echo(handle, body);
      case REMOVE -> {
        if (handles.get(handle) instanceof SessionSlice slice) {
          slice.remove(Body.xid(body, XidType.CID));
        }
      }
      case REQUEST -> {
        if (handles.get(handle) instanceof SessionChunks chunks) {
          int length = Body.int32(body);
          chunks.request(Body.dag(body), length);
        }
      }
      case CANCEL -> {
        if (handles.get(handle) instanceof SessionChunks chunks) {
          chunks.cancel(Body.xid(body, XidType.CID));
        }
      }
      default -> throw new IpcProtocolException("not a request", Map.of("op", op));
    }
  }

  private void hello(ByteBuffer body) {
    int magic = Body.int32(body);
    int version = Body.int32(body);
    if (magic != Op.MAGIC || version != Op.VERSION || greeted) {
      throw new IpcProtocolException(
          "client speaks another protocol", Map.of("version", version, "ours", Op.VERSION));
    }
    greeted = true;
    byte[] name = Body.utf8(capabilities.name(), 200);
    ByteBuffer out = channel.begin(Op.WELCOME, 0, 0, 300);
    out.putInt(Op.VERSION);
    out.putInt(capabilities.maxChunkBytes()).putInt(capabilities.maxDatagramBytes());
    out.put((byte) (capabilities.rangeRequests() ? 1 : 0));
    out.put((byte) (capabilities.reliableClose() ? 1 : 0));
    out.put((byte) (capabilities.pushesChunks() ? 1 : 0));
    Body.putAddress(out, stack.localAddress());
    out.put(name);
    channel.end();
    subscriptions.add(stack.onAddressChange(this::addressChanged));
    subscriptions.add(stack.onLinkEvent(this::linkEvent));
  }

  private void addressChanged(LocalAddress address) {
    Body.putAddress(channel.begin(Op.ADDRESS, 0, 0, 3 * Xid.LENGTH), address);
    channel.end();
    loop.execute(this::tellDags); // once the sockets have heard of it too
  }

  private void tellDags() {
    if (over) {
      return;
    }
    handles.forEach(
        (handle, object) -> {
          if (object instanceof DatagramSocket socket) {
            dags(handle, socket.localDag(), null);
          } else if (object instanceof StreamListener listener) {
            dags(handle, listener.localDag(), null);
          }
        });
  }

  /** Tells the client the addresses of one of its sockets. */
  void dags(int handle, Dag local, @Nullable Dag remote) {
    ByteBuffer out = channel.begin(Op.DAGS, handle, 0, 2 * Op.Limits.DAG);
    Body.putDag(out, local);
    Body.putDag(out, remote);
    channel.end();
  }

  private void linkEvent(LinkEvent event) {
    ByteBuffer out = channel.begin(Op.LINK_EVENT, 0, 0, 13);
    out.put((byte) event.kind().ordinal()).putInt(event.port()).putLong(event.mac());
    channel.end();
  }

  private void listen(int handle, int tag, ByteBuffer body) {
    Xid sid = Body.xid(body, XidType.SID);
    int backlog = Body.int32(body);
    open(
        handle,
        tag,
        () -> stack.listen(sid, backlog, connection -> accept(handle, connection)),
        (listener, out) -> Body.putDag(out, listener.localDag()),
        listener -> listener);
  }

  private StreamHandler accept(int listener, StreamConnection connection) {
    if (over || handles.size() >= MAX_HANDLES) {
      connection.abort();
      return new StreamHandler() {};
    }
    do {
      nextNodeHandle = (nextNodeHandle + 1) & ~NODE_HANDLE;
    } while (handles.containsKey(nextNodeHandle | NODE_HANDLE));
    int handle = nextNodeHandle | NODE_HANDLE;
    SessionStream stream = new SessionStream(this, handle);
    handles.put(handle, stream);
    ByteBuffer out = channel.begin(Op.ACCEPTED, listener, 0, 4 + 2 * Op.Limits.DAG);
    out.putInt(handle);
    Body.putDag(out, connection.localDag());
    Body.putDag(out, connection.remoteDag());
    channel.end();
    stream.opened(connection);
    return stream;
  }

  private void connect(int handle, int tag, ByteBuffer body) {
    long timeoutNs = Math.max(0, Body.int64(body));
    Dag remote = Body.dag(body);
    SessionStream stream = new SessionStream(this, handle);
    open(
        handle,
        tag,
        () -> stack.connect(remote, Duration.ofNanos(timeoutNs), stream),
        (connection, out) -> {
          Body.putDag(out, connection.localDag());
          Body.putDag(out, connection.remoteDag());
        },
        connection -> {
          stream.opened(connection);
          return stream;
        });
  }

  private void openDatagram(int handle, int tag, ByteBuffer body) {
    Xid sid = Body.xidOrNull(body);
    open(
        handle,
        tag,
        () ->
            stack.openDatagram(
                sid,
                (source, payload, inPort) -> {
                  if (!over && !channel.isCongested()) { // a slow client loses datagrams
                    int most = Op.Limits.DAG + 4 + payload.remaining();
                    ByteBuffer out = channel.begin(Op.DATAGRAM, handle, 0, most);
                    out.putInt(inPort);
                    Body.putDag(out, source);
                    out.put(payload.duplicate());
                    channel.end();
                  }
                }),
        (socket, out) -> {
          Body.putDag(out, socket.localDag());
          out.putInt(socket.links());
        },
        socket -> socket);
  }

  private void sendDatagram(int handle, ByteBuffer body, int link) {
    if (handles.get(handle) instanceof DatagramSocket socket) {
      Dag destination = Body.dag(body);
      try {
        if (link < 0) {
          socket.send(destination, body);
        } else {
          socket.sendOn(link, destination, body);
        }
      } catch (XiaSocketException e) { // best effort; the client has checked the length
        log.debug("datagram not sent: {}", e.getMessage());
      }
    }
  }

  private void openXcmp(int handle, int tag) {
    open(
        handle,
        tag,
        () ->
            stack.openXcmp(
                (source, message) -> {
                  if (!over && !channel.isCongested()) {
                    int most = Op.Limits.DAG + message.remaining();
                    ByteBuffer out = channel.begin(Op.XCMP, handle, 0, most);
                    Body.putDag(out, source);
                    out.put(message.duplicate());
                    channel.end();
                  }
                }),
        (socket, out) -> {},
        socket -> socket);
  }

  private void echo(int handle, ByteBuffer body) {
    if (handles.get(handle) instanceof XcmpSocket socket) {
      int id = Body.int32(body);
      int sequence = Body.int32(body);
      int hopLimit = Math.max(1, Body.int8(body));
      Dag destination = Body.dag(body);
      try {
        socket.echo(destination, id, sequence, body, hopLimit);
      } catch (XiaSocketException | IllegalArgumentException e) {
        log.debug("echo request not sent: {}", e.getMessage());
      }
    }
  }

  private void allocateSlice(int handle, int tag, ByteBuffer body) {
    int policy = Body.int8(body);
    long maxBytes = Body.int64(body);
    long ttlNs = Body.int64(body);
    boolean retain = Body.int8(body) != 0;
    SliceOptions.Policy[] policies = SliceOptions.Policy.values();
    if (policy >= policies.length || maxBytes < 0 || ttlNs < 0) {
      throw new IpcProtocolException(
          "bad slice options", Map.of("policy", policy, "maxBytes", maxBytes, "ttlNs", ttlNs));
    }
    SliceOptions options =
        new SliceOptions(policies[policy], maxBytes, Duration.ofNanos(ttlNs), retain);
    open(
        handle,
        tag,
        () -> stack.allocateSlice(options),
        (slice, out) -> {},
        slice -> new SessionSlice(this, slice));
  }

  private void openChunks(int handle, int tag) {
    open(
        handle,
        tag,
        stack::openChunks,
        (chunks, out) -> {},
        chunks -> new SessionChunks(this, handle, chunks));
  }

  private void close(int handle) {
    AutoCloseable object = handles.remove(handle);
    if (object != null) {
      closeQuietly(object);
      lingering.removeIf(stream -> !stream.isLingering());
      if (object instanceof SessionStream stream && stream.isLingering()) {
        lingering.add(stream);
      }
    }
  }

  private void stream(int handle, Consumer<SessionStream> action) {
    if (handles.get(handle) instanceof SessionStream stream) {
      action.accept(stream);
    } // else it has been closed while this message was on its way
  }

  /** A connection is over and the client has been told. */
  void forget(int handle) {
    handles.remove(handle);
  }

  // ---------------------------------------------------------------- chunks that are put

  @Override
  public @Nullable ByteBuffer bulkTarget(Op op, int handle, int tag, Xid cid, int length) {
    if (op != Op.PUT || !greeted) {
      throw new IpcProtocolException("not a request", Map.of("op", op));
    }
    if (length > capabilities.maxChunkBytes() || !(handles.get(handle) instanceof SessionSlice)) {
      return null;
    }
    try {
      return pool.take(length);
    } catch (OutOfMemoryError e) { // direct memory is bounded; the node lives on without this chunk
      log.warn("no memory for a chunk of {} bytes", length);
      return null;
    }
  }

  @Override
  public void bulk(Op op, int handle, int tag, Xid cid, @Nullable ByteBuffer data) {
    if (data != null && handles.get(handle) instanceof SessionSlice slice) {
      answer(tag, () -> slice.put(cid, data));
    } else if (data == null && handles.get(handle) instanceof SessionSlice) {
      failed(
          tag,
          new XiaSocketException(
              Kind.NO_SPACE,
              "the node has no room for this chunk",
              Map.of("cid", cid, "largest", capabilities.maxChunkBytes())));
    } else {
      failed(tag, new XiaSocketException(Kind.CLOSED, "the cache slice is closed"));
    }
  }

  // ---------------------------------------------------------------- answers

  /** Opens something under a handle that the client has chosen. */
  private <T extends AutoCloseable> void open(
      int handle,
      int tag,
      java.util.function.Supplier<CompletableFuture<T>> call,
      BiConsumer<T, ByteBuffer> describe,
      java.util.function.Function<T, AutoCloseable> hold) {
    if ((handle & NODE_HANDLE) != 0 || handles.containsKey(handle)) {
      throw new IpcProtocolException("bad handle", Map.of("handle", handle));
    }
    if (handles.size() >= MAX_HANDLES) {
      failed(
          tag,
          new XiaSocketException(
              Kind.NO_SPACE, "too many sockets of one client", Map.of("most", MAX_HANDLES)));
      return;
    }
    Pending pending = new Pending();
    handles.put(handle, pending);
    request(
        tag,
        () -> {
          CompletableFuture<T> opening;
          try {
            opening = call.get();
          } catch (RuntimeException e) {
            opening = CompletableFuture.failedFuture(e);
          }
          return opening.whenComplete(
              (object, failure) -> {
                if (failure != null) {
                  handles.remove(handle, pending);
                }
              });
        },
        (t, object) -> {
          if (over || handles.get(handle) != pending) { // closed in the meantime
            closeQuietly(object);
            failed(t, new XiaSocketException(Kind.CLOSED, "closed while it was being opened"));
            return;
          }
          ByteBuffer out = channel.begin(Op.DONE, 0, t, 2 * Op.Limits.DAG);
          describe.accept(object, out);
          channel.end();
          handles.put(handle, hold.apply(object));
        });
  }

  /** Holds a handle while the node is still busy with the request. */
  private static final class Pending implements AutoCloseable {
    @Override
    public void close() {
      // nothing to free yet: the handle is gone, which the answer will find
    }
  }

  private void answer(int tag, java.util.function.Supplier<CompletableFuture<Void>> call) {
    request(tag, call, (t, nothing) -> channel.send(Op.DONE, 0, t));
  }

  private <T> void answer(
      int tag,
      java.util.function.Supplier<CompletableFuture<T>> call,
      BiConsumer<T, ByteBuffer> describe,
      int maxBody) {
    request(
        tag,
        call,
        (t, value) -> {
          describe.accept(value, channel.begin(Op.DONE, 0, t, maxBody));
          channel.end();
        });
  }

  private void doneText(int tag, String text) {
    byte[] utf8 = Body.utf8(text, Op.Limits.VALUE);
    channel.begin(Op.DONE, 0, tag, utf8.length).put(utf8);
    channel.end();
  }

  private interface Answer<T> {
    void send(int tag, T value);
  }

  private <T> void request(
      int tag, java.util.function.Supplier<CompletableFuture<T>> call, Answer<T> answer) {
    CompletableFuture<T> result;
    try {
      result = call.get();
    } catch (IpcProtocolException e) {
      throw e;
    } catch (RuntimeException e) {
      failed(tag, Body.asSocketException(e));
      return;
    }
    result.whenComplete(
        (value, failure) -> {
          if (failure != null) {
            failed(tag, Body.asSocketException(failure));
          } else if (!over || value instanceof AutoCloseable) {
            answer.send(tag, value);
          }
        });
  }

  private void failed(int tag, XiaSocketException cause) {
    if (!over) {
      Body.putCause(channel.begin(Op.FAILED, 0, tag, Op.Limits.MESSAGE), cause);
      channel.end();
    }
  }

  // ---------------------------------------------------------------- the end

  @Override
  public void drained() {
    for (AutoCloseable object : new ArrayList<>(handles.values())) {
      if (object instanceof SessionStream stream) {
        stream.pump();
      } else if (object instanceof SessionChunks chunks) {
        chunks.drained();
      }
    }
  }

  void end(String why) {
    channel.close(why);
  }

  @Override
  public void closed(String why) {
    over = true;
    log.debug("client has gone: {}", why);
    subscriptions.forEach(Runnable::run);
    boolean unfinished = lingering.stream().anyMatch(SessionStream::isLingering);
    for (AutoCloseable object : new ArrayList<>(handles.values())) {
      if (object instanceof SessionStream stream) {
        unfinished |= stream.clientGone();
      } else {
        closeQuietly(object);
      }
    }
    handles.clear();
    if (unfinished) { // what was written before an orderly end is still delivered
      loop.schedule(SessionStream.LINGER_NS, stack::close);
    } else {
      stack.close();
    }
    ended.accept(this);
  }

  private static void closeQuietly(AutoCloseable object) {
    try {
      object.close();
    } catch (Exception e) {
      log.warn("closing {} failed", object, e);
    }
  }
}
