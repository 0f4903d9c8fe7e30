package io.xmig.control.pipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.cut.ByteInput;
import io.xmig.chunk.order.ByteOutput;
import io.xmig.chunk.store.ChunkStore;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.session.SessionTimes;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Two transfers at once between the same two hosts, the second up to a second later: on virtual
 * time, through nodes, a router and both byte budgets, with work that takes a different time at
 * every turn. {@code -Dxmig.grid=full} tries more seeds and prints what each had, second by second.
 */
class SharedPathTest {
  private static final int HEADERS = 160;
  private static final long SECOND = 1_000_000_000L;
  private static final long MOST_WORK_NS = 400_000L;
  private static final boolean FULL = "full".equals(System.getProperty("xmig.grid"));

  /** Bytes without an end, no two pages alike. */
  private static final class Endless implements ByteInput {
    private static final int PAGE = 4096;
    private static final int BURST = 64 * 1024;
    private final SimNetwork net;
    private final byte[] block = new byte[BURST];
    private long position;
    private boolean closed;

    Endless(SimNetwork net, SplittableRandom random) {
      this.net = net;
      random.nextBytes(block);
    }

    @Override
    public void read(ByteBuffer target, ReadHandler handler) {
      net.loop()
          .execute(
              () -> {
                if (!closed) {
                  int count = Math.min(BURST, target.remaining());
                  ByteBuffer page = ByteBuffer.wrap(block);
                  for (int at = 0; at < BURST; at += PAGE) {
                    page.putLong(at, position + at);
                  }
                  target.put(block, 0, count);
                  position += count;
                  handler.onRead(count);
                }
              });
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  /** Counts what is written. */
  private static final class Counting implements ByteOutput {
    private final SimNetwork net;
    long bytes;

    Counting(SimNetwork net) {
      this.net = net;
    }

    @Override
    public void write(List<ByteBuffer> buffers, WriteHandler handler) {
      for (ByteBuffer buffer : buffers) {
        bytes += buffer.remaining();
        buffer.position(buffer.limit());
      }
      net.loop().execute(handler::onWritten);
    }

    @Override
    public void close() {
      // as many as were written
    }
  }

  /** Transfers from one host to the other over one router. */
  private static final class Shared {
    final SimNetwork net;
    final Topologies.TwoHosts at;
    final NodeStack source;
    final NodeStack destination;
    final SplittableRandom random;
    final List<Counting> outputs = new ArrayList<>();

    Shared(long seed, int megabits, double rttMs, int mtu) {
      net = new SimNetwork(seed);
      LinkProfile path =
          LinkProfile.delay(Duration.ofNanos((long) (rttMs * 1e6 / 2)))
              .withRate(megabits * 1_000_000L, 200 * (mtu + 14))
              .withMtu(mtu);
      at = Topologies.twoHosts(net, path, node -> node.withMtu(mtu));
      at.right().profile(LinkProfile.delay(Duration.ofNanos(20_000)).withMtu(mtu));
      source = net.stack(at.host0());
      destination = net.stack(at.host1());
      random = net.newRandom();
    }

    /** Work takes a random time and never passes what was begun before. */
    private Lane lane() {
      long[] freeNs = {0};
      return new Lane(
          task -> {
            long now = net.loop().nanoTime();
            freeNs[0] = Math.max(freeNs[0], now) + random.nextLong(MOST_WORK_NS);
            net.loop().schedule(freeNs[0] - now, task);
          },
          net.loop());
    }

    void transfer(int number) {
      Xid service = Xid.of(XidType.SID.code(), 0x3000L, 0, number);
      Counting output = new Counting(net);
      outputs.add(output);
      SessionTimes times = SessionTimes.of(Duration.ofSeconds(10), Duration.ofSeconds(60));
      ReceivePipe receive =
          new ReceivePipe(
              destination,
              service,
              output,
              lane(),
              lane(),
              ChunkStore.NONE,
              new ReceiveOptions(
                  times, SendOptions.DEFAULT_MAX_IN_FLIGHT, true, false, 0, SECOND, "test"),
              (name, facts) -> {});
      receive.start();
      byte[] session = new byte[16];
      random.nextBytes(session);
      SendPipe send =
          new SendPipe(
              source,
              () -> CompletableFuture.completedFuture(destination.localAddress().service(service)),
              new Endless(net, random),
              lane(),
              lane(),
              net.loop()::nanoTime,
              new SendOptions(
                  times,
                  0,
                  SendOptions.DEFAULT_MAX_IN_FLIGHT,
                  150_000_000L,
                  50_000_000L,
                  0,
                  Compression.OFF,
                  true,
                  SECOND,
                  "test"),
              session,
              (name, facts) -> {});
      send.start();
    }

    long[] bytes() {
      return outputs.stream().mapToLong(output -> output.bytes).toArray();
    }
  }

  private static double jain(double a, double b) {
    return (a + b) * (a + b) / (2 * (a * a + b * b));
  }

  /** Every second from 1.5 s after both have begun. */
  private static void assertShareEvenly(
      long seed, int megabits, double rttMs, int mtu, int seconds) {
    Shared shared = new Shared(seed, megabits, rttMs, mtu);
    shared.transfer(1);
    long laterNs = shared.random.nextLong(SECOND);
    shared.net.run(Duration.ofNanos(laterNs));
    shared.transfer(2);
    shared.net.run(Duration.ofMillis(1500));
    double capacity = megabits * 125_000.0 * (mtu - HEADERS) / mtu;
    long[] before = shared.bytes();
    for (int second = 1; second <= seconds; second++) {
      shared.net.run(Duration.ofSeconds(1));
      long[] now = shared.bytes();
      double a = (now[0] - before[0]) / capacity;
      double b = (now[1] - before[1]) / capacity;
      before = now;
      String what =
          String.format(
              Locale.ROOT,
              "shared %d Mbit/s %.0f ms, seed %d, second one %.3f s later, second %d:"
                  + " %.3f and %.3f of the link, Jain %.3f",
              megabits,
              rttMs,
              seed,
              laterNs / 1e9,
              second,
              a,
              b,
              jain(a, b));
      if (FULL) {
        System.out.println(what);
      }
      assertThat(jain(a, b)).as(what).isGreaterThan(0.95);
      assertThat(a + b).as(what).isGreaterThan(0.93);
    }
  }

  static LongStream seeds() {
    return LongStream.rangeClosed(1, FULL ? 20 : 2);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void twoTransfersShareAFastLinkEvenly(long seed) {
    assertShareEvenly(seed, 1000, 1, 9000, 3);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void twoTransfersShareASlowLinkEvenly(long seed) {
    assertShareEvenly(seed, 100, 20, 1500, 5);
  }
}
