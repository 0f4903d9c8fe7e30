package io.xmig.chunk.publish;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.chunk.ChunkException;
import io.xmig.chunk.ChunkInfo;
import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.compress.CompressionPolicy;
import io.xmig.chunk.compress.ZstdCodec;
import io.xmig.chunk.cut.ChunkSizing;
import io.xmig.chunk.cut.Cutter;
import io.xmig.chunk.cut.InFlightBudget;
import io.xmig.chunk.cut.Piece;
import io.xmig.chunk.cut.SlabPool;
import io.xmig.chunk.order.StreamGuard;
import io.xmig.chunk.testkit.FakeInput;
import io.xmig.chunk.testkit.FakeNetwork;
import io.xmig.chunk.testkit.FakeStack;
import io.xmig.chunk.verify.Lane;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.SliceOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PublisherTest {
  private static final ChunkSizing SIZING = new ChunkSizing(16 * 1024, 512 * 1024);

  /** A cutter and a publisher; chunks are acknowledged in order, after a while. */
  private static final class Source implements Cutter.Output, Publisher.Listener {
    final FakeNetwork net;
    final long delayNs;
    final SlabPool pool = Cutter.poolFor(SIZING);
    final ByteArrayOutputStream delivered = new ByteArrayOutputStream();
    final Cutter cutter;
    final Publisher publisher;
    final ByteBuffer raw = ByteBuffer.allocateDirect(SIZING.maxBytes());
    long payloadBytes;
    long ended = -1;

    Source(FakeNetwork net, byte[] stream, int burst, long limit, Compression mode, long delayNs) {
      this.net = net;
      this.delayNs = delayNs;
      FakeStack stack = net.host();
      CacheSlice[] slice = new CacheSlice[1];
      stack.allocateSlice(SliceOptions.unlimited()).thenAccept(s -> slice[0] = s);
      net.loop().runUntil(() -> slice[0] != null, Duration.ofSeconds(1));
      publisher =
          new Publisher(
              net.loop(),
              slice[0],
              new Lane(net.loop(), net.loop()),
              new Lane(net.loop(), net.loop()),
              new EverythingGoes(),
              new CompressionPolicy(mode),
              () -> 12.5e6,
              net.loop()::nanoTime,
              pool,
              this);
      cutter =
          new Cutter(
              net.loop(),
              new FakeInput(net.loop(), net.random(), stream, burst, 1_000_000),
              new InFlightBudget(limit, 0, 0, limit),
              SIZING,
              pool,
              this);
      cutter.start();
    }

    @Override
    public void onPiece(Piece piece) {
      publisher.piece(piece);
    }

    @Override
    public void onEnd(long lengthBytes) {
      publisher.end(lengthBytes);
    }

    @Override
    public void onInputFailed(IOException cause) {
      throw new AssertionError(cause);
    }

    @Override
    public void onPublished(ChunkInfo chunk) {
      payloadBytes += chunk.length();
      net.loop().schedule(delayNs, () -> acknowledge(chunk));
    }

    private void acknowledge(ChunkInfo chunk) {
      ByteBuffer payload = publisher.payload(chunk.sequence());
      assertThat(payload).as("kept until it is acknowledged").isNotNull();
      byte[] bytes = new byte[chunk.rawLength()];
      if (chunk.coding() == ChunkInfo.Coding.ZSTD) {
        try (ZstdCodec codec = new ZstdCodec()) {
          codec.decompress(payload, chunk.rawLength(), raw).get(bytes);
        }
      } else {
        payload.get(bytes);
      }
      delivered.writeBytes(bytes);
      cutter.onAcknowledged(chunk.end(), publisher.acknowledged(chunk.end()));
    }

    @Override
    public void onEnd(long lengthBytes, byte[] sha256) {
      ended = lengthBytes;
    }

    @Override
    public void onFailed(ChunkException cause) {
      throw new AssertionError(cause);
    }

    boolean run(long length) {
      return net.loop()
          .runUntil(() -> ended >= 0 && delivered.size() == length, Duration.ofHours(3));
    }
  }

  private static final class EverythingGoes implements StreamGuard {
    @Override
    public void feed(ByteBuffer data) {}

    @Override
    public long releasableBytes() {
      return Long.MAX_VALUE;
    }

    @Override
    public boolean isComplete() {
      return true;
    }
  }

  private static byte[] compressible(SplittableRandom random, int length) {
    byte[] bytes = new byte[length];
    int kinds = 2 + random.nextInt(254);
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) random.nextInt(kinds);
    }
    return bytes;
  }

  @Test
  void smallCompressedChunksDoNotTakeALargeBufferEach() {
    // as over a slow path: QEMU gives a page run at a time, two hundred chunks are on the way
    byte[] stream = compressible(new SplittableRandom(1), 8 << 20);
    for (int i = 0; i < stream.length; i++) {
      stream[i] &= 7;
    }
    long limit = 4 << 20;
    Source source =
        new Source(new FakeNetwork(1), stream, 20 * 1024, limit, Compression.ON, 300_000_000L);
    assertThat(source.run(stream.length)).isTrue();
    assertThat(source.delivered.toByteArray()).isEqualTo(stream);
    assertThat(source.payloadBytes).isLessThan(stream.length / 2);
    assertThat(source.pool.allocatedBytes()).isLessThan(limit + 8L * SIZING.maxBytes());
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void theStreamArrivesWithinBoundedMemoryAndEverySlabComesBack(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] stream = compressible(random, 1 + random.nextInt(3 << 20));
    long limit = (256 + random.nextInt(4096)) * 1024L;
    Compression[] modes = Compression.values();
    Source source =
        new Source(
            new FakeNetwork(seed),
            stream,
            1 + random.nextInt(200_000),
            limit,
            modes[random.nextInt(modes.length)],
            random.nextLong(100_000_000L));
    assertThat(source.run(stream.length)).isTrue();
    assertThat(source.delivered.toByteArray()).isEqualTo(stream);
    source.publisher.close();
    assertThat(source.pool.outstanding()).isZero();
    assertThat(source.pool.allocatedBytes()).isLessThan(2 * limit + 8L * SIZING.maxBytes());
  }
}
