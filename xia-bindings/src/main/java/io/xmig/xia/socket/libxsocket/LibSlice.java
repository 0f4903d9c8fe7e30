package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cache slice of the library; one thread puts and removes, since each call is a round trip to
 * Click.
 */
final class LibSlice implements CacheSlice, Endpoint {
  /** The prototype's library waits for ever for an answer that was lost. */
  private static final long ANSWER_NS = 10_000_000_000L;

  private static final Logger LOG = LoggerFactory.getLogger(LibSlice.class);

  private final LibXsocketStack stack;
  private final Supplier<Pointer> opener;
  private final ExecutorService calls =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "libxsocket-slice");
            thread.setDaemon(true);
            return thread;
          });
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(Xsocket.XIA_MAXBUF);
  private final Memory info = new Memory(Structs.ChunkInfo.LENGTH);

  private Pointer context;

  /** Of the context; C may free that while another thread wants to interrupt a call. */
  private int socket;

  private volatile boolean broken;

  /**
   * @param opener allocates it; called again when an answer of Click was lost, or Click restarted
   */
  LibSlice(LibXsocketStack stack, Supplier<Pointer> opener) {
    this.stack = stack;
    this.opener = opener;
    this.context = opener.get();
    this.socket = context.getInt(Structs.ChunkContext.SOCKFD);
  }

  @Override
  public void lost(XiaSocketException cause) {
    interrupt();
  }

  @Override
  public void reopen() {
    broken = true;
  }

  /** Makes a call return that waits for an answer; the next one uses another socket. */
  private synchronized void interrupt() {
    broken = true;
    Worker.interrupt(socket);
  }

  /** On the thread that calls. */
  private void replaceIfBroken() {
    if (broken) {
      Pointer old = context;
      Pointer made = opener.get();
      synchronized (this) {
        context = made;
        socket = made.getInt(Structs.ChunkContext.SOCKFD);
        broken = false;
      }
      free(old);
    }
  }

  private static void free(Pointer context) {
    try {
      Xsocket.XfreeCacheSlice(context);
    } catch (LastErrorException e) {
      LOG.debug("XfreeCacheSlice: {}", e.getMessage());
    }
  }

  @Override
  public CompletableFuture<Void> put(Xid cid, ByteBuffer data) {
    int length = data.remaining();
    int limit = stack.capabilities().maxChunkBytes();
    if (length == 0 || length > limit) {
      return CompletableFuture.failedFuture(
          new XiaSocketException(
              Kind.MESSAGE_TOO_LONG,
              "a chunk has 1 to " + limit + " bytes",
              Map.of("bytes", length)));
    }
    ByteBuffer source = data.duplicate();
    return stack.calls().onLoop(calls, () -> putNow(cid, source));
  }

  private Void putNow(Xid cid, ByteBuffer data) {
    int length = data.remaining();
    buffer.put(0, data, data.position(), length);
    replaceIfBroken();
    EventLoop.Timer limit = stack.loop().schedule(ANSWER_NS, this::interrupt);
    try {
      Xsocket.XputChunk(context, buffer, length, info);
    } catch (LastErrorException e) {
      throw Worker.failure("XputChunk", e);
    } finally {
      limit.cancel();
    }
    String stored = info.getString(Structs.ChunkInfo.CID);
    if (!stored.equals(cid.idHex())) {
      throw new XiaSocketException(
          Kind.NODE, "Click stored another chunk", Map.of("wanted", cid.idHex(), "stored", stored));
    }
    return null;
  }

  @Override
  public void remove(Xid cid) {
    try {
      calls.execute(
          () -> {
            try {
              replaceIfBroken();
              Xsocket.XremoveChunk(context, cid.idHex());
            } catch (LastErrorException e) {
              stack.report(Worker.failure("XremoveChunk", e));
            }
          });
    } catch (RejectedExecutionException e) {
      return; // closed: its chunks go with it
    }
  }

  @Override
  public Dag dagOf(Xid cid) {
    return stack.localAddress().chunk(cid);
  }

  @Override
  public void close() {
    stack.forget(this);
    try {
      calls.execute(() -> free(context));
      calls.shutdown();
    } catch (RejectedExecutionException e) {
      return; // closed before
    }
  }
}
