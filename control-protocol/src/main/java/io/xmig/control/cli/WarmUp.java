package io.xmig.control.cli;

import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.cut.ByteInput;
import io.xmig.chunk.order.ByteOutput;
import io.xmig.chunk.store.ChunkStore;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.pipe.ReceiveOptions;
import io.xmig.control.pipe.ReceivePipe;
import io.xmig.control.pipe.SendOptions;
import io.xmig.control.pipe.SendPipe;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.SessionTimes;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;

/**
 * Transfers to itself through the host's node, so that this process and the node have compiled what
 * a migration needs before there is one.
 *
 * @threading {@link #run} blocks; {@link #stop} from any thread
 */
final class WarmUp {
  /** The least there is: how much is under way at a time makes no difference to the compiler. */
  private static final long MAX_IN_FLIGHT = SendOptions.LEAST_MAX_IN_FLIGHT;

  private static final int SEED = 1;
  private static final int PATTERN_BYTES = 1 << 20;
  private static final int INCOMPRESSIBLE = 1 << 19;

  private final Supplier<XiaStack> open;
  private final long limitNs;
  private volatile boolean stopped;

  /**
   * @param limit time after which the transfer ends
   */
  WarmUp(Supplier<XiaStack> open, Duration limit) {
    this.open = open;
    this.limitNs = limit.toNanos();
  }

  /** Ends it: something else needs the processor now. */
  void stop() {
    stopped = true;
  }

  /**
   * Transfers until the limit or {@link #stop}.
   *
   * @return bytes that have arrived
   */
  long run() {
    long deadline = System.nanoTime() + limitNs;
    // first as most migrations are, then compressed
    long bytes = transfer(Compression.OFF, deadline - limitNs / 4);
    Memory.release(); // before the second one takes as much again
    return bytes + transfer(Compression.ON, deadline);
  }

  private long transfer(Compression compression, long deadline) {
    if (stopped) {
      return 0;
    }
    ExecutorService[] lanes = {
      PipeRun.lane("warm-cid"), PipeRun.lane("warm-digest"),
      PipeRun.lane("warm-check"), PipeRun.lane("warm-write")
    };
    try (XiaStack here = open.get();
        XiaStack there = open.get()) {
      byte[] random = new byte[20 + 16];
      new SecureRandom().nextBytes(random);
      Xid service = Xid.of(XidType.SID, java.util.Arrays.copyOf(random, 20));
      byte[] session = java.util.Arrays.copyOfRange(random, 20, 36);
      SessionTimes times = SessionTimes.of(SessionTimes.DEFAULT_CONNECT, Duration.ofSeconds(1));
      CompletableFuture<Outcome> received = new CompletableFuture<>();
      CompletableFuture<Void> listening = new CompletableFuture<>();
      there
          .loop()
          .execute(
              () ->
                  new ReceivePipe(
                          there,
                          service,
                          new Nowhere(there.loop()),
                          new Lane(lanes[2], there.loop()),
                          new Lane(lanes[3], there.loop()),
                          ChunkStore.NONE,
                          new ReceiveOptions(
                              times, MAX_IN_FLIGHT, true, false, limitNs, 0, "xmig warm-up"),
                          (name, facts) -> {
                            if (name.equals("listening")) {
                              listening.complete(null);
                            }
                          })
                      .start()
                      .thenAccept(received::complete));
      CompletableFuture.anyOf(listening, received).join();
      here.loop()
          .execute(
              () ->
                  new SendPipe(
                          here,
                          () ->
                              CompletableFuture.completedFuture(
                                  here.localAddress().service(service)),
                          new Pattern(here.loop(), deadline),
                          new Lane(lanes[0], here.loop()),
                          new Lane(lanes[1], here.loop()),
                          System::nanoTime,
                          new SendOptions(
                              times,
                              MAX_IN_FLIGHT,
                              MAX_IN_FLIGHT,
                              0,
                              0,
                              0,
                              compression,
                              true,
                              0,
                              "xmig warm-up"),
                          session,
                          (name, facts) -> {})
                      .start());
      return received.join().bytes();
    } finally {
      for (ExecutorService lane : lanes) {
        lane.shutdown();
      }
    }
  }

  /** Bytes half of which compress, until it is time to stop; no chunk is like another. */
  private final class Pattern implements ByteInput {
    private final EventLoop loop;
    private final long deadline;
    private final ByteBuffer pattern = ByteBuffer.allocateDirect(PATTERN_BYTES);
    private long number;

    Pattern(EventLoop loop, long deadline) {
      this.loop = loop;
      this.deadline = deadline;
      SplittableRandom random = new SplittableRandom(SEED);
      for (int i = 0; i < INCOMPRESSIBLE; i += Long.BYTES) {
        pattern.putLong(i, random.nextLong());
      }
    }

    @Override
    public void read(ByteBuffer target, ReadHandler handler) {
      loop.execute(
          () -> {
            if (stopped || System.nanoTime() > deadline) {
              handler.onRead(-1);
              return;
            }
            pattern.putLong(0, ++number);
            int count = Math.min(target.remaining(), PATTERN_BYTES);
            target.put(pattern.slice(0, count));
            handler.onRead(count);
          });
    }

    @Override
    public void close() {
      // nothing is open
    }
  }

  /** An output that takes everything. */
  private record Nowhere(EventLoop loop) implements ByteOutput {
    @Override
    public void write(List<ByteBuffer> buffers, WriteHandler handler) {
      buffers.forEach(buffer -> buffer.position(buffer.limit()));
      loop.execute(handler::onWritten);
    }

    @Override
    public void close() {
      // nothing is open
    }
  }
}
