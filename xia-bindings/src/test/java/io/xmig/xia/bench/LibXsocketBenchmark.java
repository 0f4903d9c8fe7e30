package io.xmig.xia.bench;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.MemoryLink;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.api.LocalApiServer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the way through JNA, C and the local API costs on top of the node: chunks of 15,600 bytes
 * put and fetched, and a stream, each directly on the node and through the library.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LibXsocketBenchmark {
  private static final int CHUNKS = 128;
  private static final int CHUNK = 15_600;
  private static final int STREAM_BYTES = 4 << 20;
  private static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  private static final Xid SID = Xid.parse("SID:0f00000000000000000000000000000000000c01");

  @Param({"node", "libxsocket"})
  String way;

  private NodeLoop loop;
  private LocalApiServer api;
  private XiaStack there;
  private XiaStack here;
  private final List<Xid> cids = new ArrayList<>();
  private CacheSlice published;
  private CacheSlice slice;
  private ChunkSocket chunks;
  private StreamConnection stream;
  private final Fill fill = new Fill();
  private final Drain drain = new Drain();
  private final ByteBuffer content = ByteBuffer.allocate(CHUNK);
  private int counter;

  @Setup(Level.Trial)
  public void start() throws Exception {
    loop = NodeLoop.start("bench");
    NodeStack[] stacks = loop.call(this::build).get(10, TimeUnit.SECONDS);
    there = stacks[1];
    api = LocalApiServer.start(loop, stacks[0], 0, false);
    here = way.equals("node") ? stacks[0] : Stacks.open("libxsocket:ours@" + api.port());
    published = on(there, () -> there.allocateSlice(SliceOptions.unlimited()));
    Random random = new Random(1);
    for (int i = 0; i < CHUNKS; i++) {
      byte[] bytes = new byte[CHUNK];
      random.nextBytes(bytes);
      Xid cid = Cid.of(ByteBuffer.wrap(bytes));
      cids.add(cid);
      on(there, () -> published.put(cid, ByteBuffer.wrap(bytes)));
    }
    slice =
        on(
            here,
            () ->
                here.allocateSlice(
                    new SliceOptions(
                        SliceOptions.Policy.FIFO, 4 << 20, Duration.ofSeconds(60), false)));
    chunks = on(here, here::openChunks);
    on(there, () -> there.listen(SID, 8, connection -> drain));
    LocalAddress peer = there.localAddress();
    stream = on(here, () -> here.connect(peer.service(SID), Duration.ofSeconds(5), fill));
  }

  private static <T> T on(XiaStack stack, java.util.concurrent.Callable<CompletableFuture<T>> call)
      throws Exception {
    CompletableFuture<T> result = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () -> {
              try {
                call.call()
                    .whenComplete(
                        (value, failure) -> {
                          if (failure != null) {
                            result.completeExceptionally(failure);
                          } else {
                            result.complete(value);
                          }
                        });
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    return result.get(20, TimeUnit.SECONDS);
  }

  private NodeStack[] build() throws Exception {
    MemoryLink[] link = MemoryLink.pair(loop, "wire", LinkOptions.ofMtu(9000));
    NodeStack[] stacks = new NodeStack[2];
    for (int i = 0; i < 2; i++) {
      XiaNode node =
          new XiaNode(
              NodeConfig.host("host" + i, new LocalAddress(AD, hid(i), null), 0x0200_0000_0001L + i)
                  .withMtu(9000),
              loop,
              new Random(i));
      node.routes(XidType.AD).set(AD, -2, null, 0);
      node.routes(XidType.HID).set(hid(1 - i), 0, hid(1 - i), 0);
      node.attach(0, link[i]);
      link[i].receiver(frame -> node.receive(0, frame));
      stacks[i] = new NodeStack(node);
    }
    return stacks;
  }

  private static Xid hid(int host) {
    return Xid.parse("HID:000000000000000000000000000000000000000" + host);
  }

  private static final class Fill implements StreamHandler {
    final ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
    long left;

    @Override
    public void onWritable(StreamConnection connection) {
      while (left > 0) {
        bytes.clear().limit((int) Math.min(bytes.capacity(), left));
        int written = connection.write(bytes);
        if (written == 0) {
          return;
        }
        left -= written;
      }
    }
  }

  private static final class Drain implements StreamHandler {
    final ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
    volatile CountDownLatch done = new CountDownLatch(1);
    long left;

    @Override
    public void onReadable(StreamConnection connection) {
      int read;
      while ((read = connection.read(bytes.clear())) > 0) {
        left -= read;
        if (left == 0) {
          done.countDown();
        }
      }
    }
  }

  @TearDown(Level.Trial)
  public void stop() throws Exception {
    on(
        here,
        () -> {
          here.close();
          return CompletableFuture.completedFuture(null);
        });
    api.close();
    loop.close();
  }

  /** One chunk of many that are put into the cache at once. */
  @Benchmark
  @OperationsPerInvocation(CHUNKS)
  public void put() throws Exception {
    CountDownLatch done = new CountDownLatch(CHUNKS);
    List<ByteBuffer> chunksToPut = new ArrayList<>();
    List<Xid> names = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK).putInt(0, counter++);
      chunksToPut.add(chunk);
      names.add(Cid.of(chunk.duplicate()));
    }
    here.loop()
        .execute(
            () -> {
              for (int i = 0; i < CHUNKS; i++) {
                slice
                    .put(names.get(i), chunksToPut.get(i))
                    .whenComplete((value, failure) -> done.countDown());
              }
            });
    if (!done.await(20, TimeUnit.SECONDS)) {
      throw new IllegalStateException("missing " + done.getCount());
    }
  }

  /** One chunk put into the cache, the next only when it is there. */
  @Benchmark
  public Object putAlone() throws Exception {
    content.putInt(0, counter++);
    Xid cid = Cid.of(content.duplicate());
    return on(here, () -> slice.put(cid, content.duplicate()));
  }

  /** One chunk of many that are fetched from the other node at once. */
  @Benchmark
  @OperationsPerInvocation(CHUNKS)
  public void fetch() throws Exception {
    CountDownLatch done = new CountDownLatch(CHUNKS);
    List<String> failures = new ArrayList<>();
    LocalAddress peer = there.localAddress();
    here.loop()
        .execute(
            () -> {
              for (Xid cid : cids) {
                chunks.request(
                    peer.chunk(cid),
                    CHUNK,
                    new ChunkHandler() {
                      @Override
                      public void onChunk(Xid got, ByteBuffer data) {
                        chunks.recycle(data);
                        done.countDown();
                      }

                      @Override
                      public void onFailed(Xid wanted, XiaSocketException cause) {
                        failures.add(cause.getMessage());
                        done.countDown();
                      }
                    });
              }
            });
    if (!done.await(20, TimeUnit.SECONDS) || !failures.isEmpty()) {
      throw new IllegalStateException("missing " + done.getCount() + " " + failures);
    }
  }

  /** One mebibyte of a stream to the other node. */
  @Benchmark
  @OperationsPerInvocation(STREAM_BYTES >> 20)
  public void stream() throws Exception {
    loop.call(
            () -> {
              drain.left = STREAM_BYTES;
              drain.done = new CountDownLatch(1);
              return null;
            })
        .get(5, TimeUnit.SECONDS);
    here.loop()
        .execute(
            () -> {
              fill.left = STREAM_BYTES;
              fill.onWritable(stream);
            });
    if (!drain.done.await(20, TimeUnit.SECONDS)) {
      throw new IllegalStateException("missing " + drain.left + " bytes");
    }
  }
}
