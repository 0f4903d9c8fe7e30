package io.xmig.chunk.cut;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.chunk.testkit.FakeInput;
import io.xmig.xia.testkit.VirtualLoop;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CutterTest {
  /** Acknowledges pieces after a while, in order, and checks them. */
  private static final class Downstream implements Cutter.Output {
    final VirtualLoop loop;
    final SplittableRandom random;
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    final ArrayDeque<Piece> out = new ArrayDeque<>();
    Cutter cutter;
    long next;
    long ended = -1;
    int largest;
    boolean acknowledges = true;

    Downstream(VirtualLoop loop, SplittableRandom random) {
      this.loop = loop;
      this.random = random;
    }

    @Override
    public void onPiece(Piece piece) {
      assertThat(piece.sequence()).isEqualTo(next++);
      assertThat(piece.offset()).isEqualTo(bytes.size());
      byte[] copy = new byte[piece.data().remaining()];
      piece.data().duplicate().get(copy);
      bytes.writeBytes(copy);
      largest = Math.max(largest, copy.length);
      out.add(piece);
      if (acknowledges) {
        loop.schedule(random.nextLong(50_000_000), this::acknowledgeOldest);
      }
    }

    private void acknowledgeOldest() {
      Piece oldest = out.remove();
      oldest.slab().release();
      cutter.onAcknowledged(oldest.end(), 1);
    }

    @Override
    public void onEnd(long lengthBytes) {
      ended = lengthBytes;
    }

    @Override
    public void onInputFailed(IOException cause) {
      throw new AssertionError(cause);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void piecesAreTheInputWithinTheBudgetAndEverySlabComesBack(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    VirtualLoop loop = new VirtualLoop();
    byte[] input = new byte[random.nextInt(400_000)];
    random.nextBytes(input);
    long limit = 1 + random.nextInt(200_000);
    ChunkSizing sizing =
        random.nextBoolean()
            ? ChunkSizing.fixed(1 + random.nextInt(60_000))
            : new ChunkSizing(4096, 65_536);
    SlabPool pool = Cutter.poolFor(sizing);
    Downstream downstream = new Downstream(loop, random);
    FakeInput source =
        new FakeInput(
            loop, random, input, 1 + random.nextInt(70_000), random.nextBoolean() ? 0 : 5_000_000);
    Cutter cutter =
        new Cutter(
            loop, source, new InFlightBudget(limit, 0, 0, 1 << 20), sizing, pool, downstream);
    downstream.cutter = cutter;
    cutter.start();
    boolean done =
        loop.runUntil(
            () -> {
              assertThat(cutter.inFlightBytes()).isLessThanOrEqualTo(limit);
              return downstream.ended >= 0 && downstream.out.isEmpty();
            },
            Duration.ofHours(3));
    assertThat(done).isTrue();
    assertThat(downstream.bytes.toByteArray()).isEqualTo(input);
    assertThat(downstream.ended).isEqualTo(input.length);
    assertThat(downstream.largest).isLessThanOrEqualTo(sizing.maxBytes());
    assertThat(pool.outstanding()).isZero();
    // the budget, rounded up to slabs at either end; small pieces share a slab
    assertThat(pool.allocatedBytes()).isLessThanOrEqualTo(limit * 6 / 5 + 3L * sizing.maxBytes());
  }

  /** So much is under way that bytes are collected; with the end of the input that is over. */
  @Test
  void whatIsCollectedGoesAtOnceWhenTheInputEnds() {
    SplittableRandom random = new SplittableRandom(1);
    VirtualLoop loop = new VirtualLoop();
    byte[] input = new byte[1_000_001];
    random.nextBytes(input);
    ChunkSizing sizing = ChunkSizing.fixed(65_536);
    SlabPool pool = Cutter.poolFor(sizing);
    Downstream downstream = new Downstream(loop, random);
    downstream.acknowledges = false;
    Cutter cutter =
        new Cutter(
            loop,
            new FakeInput(loop, random, input, 5000, 0),
            new InFlightBudget(4 << 20, 0, 0, 4 << 20),
            sizing,
            pool,
            downstream);
    downstream.cutter = cutter;
    cutter.start();
    assertThat(loop.runUntil(() -> downstream.ended >= 0, Duration.ofHours(1))).isTrue();
    assertThat(downstream.largest).as("collected").isGreaterThan(50_000);
    assertThat(downstream.ended).isEqualTo(input.length);
    assertThat(downstream.bytes.toByteArray()).isEqualTo(input);
    long slabs = input.length + 3L * sizing.maxBytes();
    assertThat(pool.allocatedBytes()).isLessThanOrEqualTo(slabs * 6 / 5);
    downstream.out.forEach(piece -> piece.slab().release());
    assertThat(pool.outstanding()).isZero();
  }
}
