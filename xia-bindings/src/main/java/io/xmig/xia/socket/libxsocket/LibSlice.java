package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/**
 * A cache slice of the library; one thread puts and removes, since each call is a round trip to
 * Click.
 */
final class LibSlice implements CacheSlice {
  private final LibXsocketStack stack;
  private final Pointer context;
  private final ExecutorService calls =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "libxsocket-slice");
            thread.setDaemon(true);
            return thread;
          });
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(Xsocket.XIA_MAXBUF);
  private final Memory info = new Memory(Structs.ChunkInfo.LENGTH);

  LibSlice(LibXsocketStack stack, Pointer context) {
    this.stack = stack;
    this.context = context;
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
    try {
      Xsocket.XputChunk(context, buffer, length, info);
    } catch (LastErrorException e) {
      throw Worker.failure("XputChunk", e);
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
      calls.execute(() -> Xsocket.XfreeCacheSlice(context));
      calls.shutdown();
    } catch (RejectedExecutionException e) {
      return; // closed before
    }
  }
}
