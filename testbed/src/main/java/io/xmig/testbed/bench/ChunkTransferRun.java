package io.xmig.testbed.bench;

import io.xmig.testbed.run.RunException;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSockets;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Chunks published on one stack and fetched on another, with a bounded number between put and
 * removal, as a migration has them. No chunk is the same as any of those around it, so that nothing
 * but the way between the stacks is measured.
 *
 * @threading {@link #run} from one thread; the rest on the loops of the two stacks
 */
final class ChunkTransferRun implements AutoCloseable {
  private static final int WINDOW_BYTES = 8 << 20;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** Distinct chunks; more than are ever under way. */
  private final List<ByteBuffer> contents = new ArrayList<>();

  private final List<Xid> cids = new ArrayList<>();
  private final XiaSockets publishing;
  private final EventLoop publisher;
  private final EventLoop fetcher;
  private final CacheSlice slice;
  private final ChunkSocket socket;
  private final int chunkBytes;

  /**
   * Whether no chunk is ever the same as one before: a router that keeps what passes would serve it
   * otherwise. This costs a hash for each.
   */
  private final boolean unique;

  /** Chunks put so far. Belongs to the publisher's loop. */
  private long position;

  private final ExecutorService hashing =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "bench-verify");
            thread.setDaemon(true);
            return thread;
          });

  /** One transfer. {@code put} belongs to the publisher's loop, {@code got} to the fetcher's. */
  private final class Transfer implements ChunkHandler {
    final long total;
    final boolean verify;
    final CompletableFuture<Boolean> done = new CompletableFuture<>();
    long put;
    long got;

    Transfer(long total, boolean verify) {
      this.total = total;
      this.verify = verify;
    }

    void putNext() {
      if (put == total || done.isDone()) {
        return;
      }
      put++;
      int index = (int) (position++ % contents.size());
      if (unique) {
        ByteBuffer content = contents.get(index);
        content.putLong(0, position);
        cids.set(index, Cid.of(content.duplicate()));
      }
      Xid cid = cids.get(index);
      slice
          .put(cid, contents.get(index).duplicate())
          .whenComplete(
              (stored, failure) -> {
                if (failure != null) {
                  done.completeExceptionally(failure);
                } else {
                  request(slice.dagOf(cid));
                }
              });
    }

    private void request(Dag chunk) {
      fetcher.execute(
          () -> {
            try {
              socket.request(chunk, chunkBytes, this);
            } catch (XiaSocketException e) {
              done.completeExceptionally(e);
            }
          });
    }

    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      if (verify) {
        hashing.execute(
            () -> {
              boolean right = Cid.matches(cid, data);
              fetcher.execute(() -> take(cid, data, right));
            });
      } else {
        take(cid, data, data.remaining() == chunkBytes);
      }
    }

    private void take(Xid cid, ByteBuffer data, boolean right) {
      if (!right) {
        done.completeExceptionally(new RunException("a chunk arrived damaged", Map.of("cid", cid)));
        return;
      }
      socket.recycle(data);
      publisher.execute(
          () -> {
            slice.remove(cid);
            putNext();
          });
      if (++got == total) {
        done.complete(true);
      }
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      done.completeExceptionally(cause);
    }
  }

  /**
   * @param unique whether no chunk may come twice
   */
  ChunkTransferRun(XiaSockets publishing, XiaSockets fetching, int chunkBytes, boolean unique) {
    this.unique = unique;
    this.publishing = publishing;
    this.publisher = publishing.stack().loop();
    this.fetcher = fetching.stack().loop();
    this.chunkBytes = chunkBytes;
    slice = publishing.call(stack -> stack.allocateSlice(SliceOptions.unlimited()));
    socket = fetching.call(XiaStack::openChunks);
    int distinct = 2 * window() + 1;
    SplittableRandom random = new SplittableRandom(chunkBytes);
    byte[] bytes = new byte[chunkBytes];
    for (int i = 0; i < distinct; i++) {
      random.nextBytes(bytes);
      ByteBuffer content = ByteBuffer.allocateDirect(chunkBytes).put(bytes).flip();
      contents.add(content);
      cids.add(Cid.of(content.duplicate()));
    }
  }

  private int window() {
    return Math.max(2, WINDOW_BYTES / chunkBytes);
  }

  /**
   * Transfers as many chunks as make up {@code bytes}.
   *
   * @param verify whether the hash of each is checked
   * @return bytes per second
   */
  double run(long bytes, boolean verify) {
    Transfer transfer = new Transfer(Math.max(1, bytes / chunkBytes), verify);
    long started = System.nanoTime();
    publishing.call(
        stack -> {
          for (int i = window(); i > 0; i--) {
            transfer.putNext();
          }
          return transfer.done;
        },
        PATIENCE);
    double seconds = (System.nanoTime() - started) / 1e9;
    return transfer.total * chunkBytes / seconds;
  }

  @Override
  public void close() {
    hashing.shutdownNow();
    publisher.execute(slice::close);
    fetcher.execute(socket::close);
  }
}
