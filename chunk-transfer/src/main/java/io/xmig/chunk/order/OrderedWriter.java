package io.xmig.chunk.order;

import io.xmig.chunk.ChunkException;
import io.xmig.chunk.ChunkInfo;
import io.xmig.chunk.compress.ZstdCodec;
import io.xmig.chunk.verify.Lane;
import io.xmig.chunk.verify.StreamDigest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes verified chunks to the output in stream order and keeps the running digest. What the
 * {@link StreamGuard} does not release stays here until {@link #finish} has found length and digest
 * of the whole stream right.
 *
 * @threading the loop; decoding and digest on the lane
 */
public final class OrderedWriter {
  private static final int MAX_GATHERED = 16;
  private static final int LEAST_DECODE_BYTES = 64 * 1024;

  /** What the writer reports. */
  public interface Listener {
    /**
     * Progress.
     *
     * @param writtenBytes given to the output since the start
     * @param safeBytes written, or kept here on purpose until the end is verified
     */
    void onWritten(long writtenBytes, long safeBytes);

    /** Length and digest are right: from now on the end is on its way to the reader. */
    void onVerified();

    /** Everything was verified and written; the output is closed. */
    void onDelivered(long lengthBytes);

    /** The stream cannot be right; nothing more is written. */
    void onCorrupt(ChunkException cause);

    /** The output does not take any more. */
    void onOutputFailed(IOException cause);
  }

  private final ByteOutput output;
  private final Lane lane;
  private final StreamGuard guard;
  private final Consumer<ByteBuffer> recycler;
  private final Listener listener;
  private final StreamDigest digest = new StreamDigest();
  private final ZstdCodec codec = new ZstdCodec();
  private final WriteOutcome writeOutcome = new WriteOutcome();

  private final ArrayDeque<Run> pending = new ArrayDeque<>();
  private final List<Run> beingWritten = new ArrayList<>(MAX_GATHERED);
  private final ArrayDeque<ByteBuffer> decodeBuffers = new ArrayDeque<>();
  private long pendingEnd; // position in the stream after the last pending byte
  private long releasable;
  private long written;
  private long writing; // bytes of the write under way
  private long reportedWritten;
  private long reportedSafe;
  private boolean verified;
  private boolean failedWriting;
  private boolean closed;

  /**
   * @param lane decodes and hashes
   * @param recycler takes payloads back after use
   */
  public OrderedWriter(
      ByteOutput output,
      Lane lane,
      StreamGuard guard,
      Consumer<ByteBuffer> recycler,
      Listener listener) {
    this.output = output;
    this.recycler = recycler;
    this.lane = lane;
    this.guard = guard;
    this.listener = listener;
  }

  /**
   * The next chunk of the stream.
   *
   * @param payload its verified bytes; the writer's until it gives them back
   * @param exclusive whether to give them back
   */
  public void chunk(ChunkInfo info, ByteBuffer payload, boolean exclusive) {
    @Nullable ByteBuffer target =
        info.coding() == ChunkInfo.Coding.ZSTD ? decodeBuffer(info.rawLength()) : null;
    lane.run(
        () -> decode(info, payload, target),
        decoded -> onDecoded(decoded, payload, exclusive, target),
        this::onLaneFailed);
  }

  /** Bytes in stream order, and where their buffer goes afterwards. */
  private record Run(
      ByteBuffer bytes, @Nullable ByteBuffer payload, @Nullable ByteBuffer decoded) {}

  private record Decoded(ByteBuffer raw, long releasable) {}

  private Decoded decode(ChunkInfo info, ByteBuffer payload, @Nullable ByteBuffer target) {
    ByteBuffer raw =
        target == null
            ? payload.duplicate()
            : codec.decompress(payload.duplicate(), info.rawLength(), target);
    digest.update(raw);
    guard.feed(raw);
    return new Decoded(raw, guard.releasableBytes());
  }

  private void onDecoded(
      Decoded decoded, ByteBuffer payload, boolean exclusive, @Nullable ByteBuffer target) {
    if (closed) {
      return;
    }
    pendingEnd += decoded.raw().remaining();
    @Nullable ByteBuffer giveBack = exclusive ? payload : null;
    if (target != null && giveBack != null) {
      recycler.accept(giveBack); // its content is in the target now
      giveBack = null;
    }
    pending.add(new Run(decoded.raw(), giveBack, target));
    releasable = Math.max(releasable, decoded.releasable());
    pump();
    reportProgress();
  }

  private ByteBuffer decodeBuffer(int length) {
    @Nullable ByteBuffer free = decodeBuffers.pollLast();
    if (free != null && free.capacity() >= length) {
      return free.clear();
    }
    // of few sizes: one that is too small for the next chunk is left to the collector
    int power = Integer.highestOneBit(Math.max(LEAST_DECODE_BYTES, length) - 1) << 1;
    return ByteBuffer.allocateDirect(power < length ? length : power);
  }

  private void giveBack(Run run) {
    if (run.payload() != null) {
      recycler.accept(run.payload());
    }
    if (run.decoded() != null && decodeBuffers.size() < MAX_GATHERED) {
      decodeBuffers.addLast(run.decoded());
    }
  }

  private void onLaneFailed(RuntimeException cause) {
    if (!closed) {
      abandon();
      listener.onCorrupt(
          cause instanceof ChunkException c
              ? c
              : new ChunkException("chunk cannot be decoded", Map.of(), cause));
    }
  }

  private static final class Ending {
    private final byte[] sha256;
    private final boolean complete;

    Ending(byte[] sha256, boolean complete) {
      this.sha256 = sha256;
      this.complete = complete;
    }

    byte[] sha256() {
      return sha256;
    }

    boolean complete() {
      return complete;
    }
  }

  /** The source says that this was all; the rest is written if that is true. */
  public void finish(long lengthBytes, byte[] sha256) {
    lane.run(
        () -> new Ending(digest.finish(), guard.isComplete()),
        found -> {
          if (closed) {
            return;
          }
          if (!found.complete()) {
            abandon();
            listener.onCorrupt(
                new ChunkException(
                    "stream ends where it cannot end", Map.of("received", pendingEnd)));
            return;
          }
          if (pendingEnd != lengthBytes || !MessageDigest.isEqual(found.sha256(), sha256)) {
            abandon();
            listener.onCorrupt(
                new ChunkException(
                    "stream differs from what was sent",
                    Map.of("announced", lengthBytes, "received", pendingEnd)));
            return;
          }
          verified = true;
          releasable = lengthBytes;
          listener.onVerified();
          pump();
        },
        this::onLaneFailed);
  }

  /** Bytes given to the output. */
  public long writtenBytes() {
    return written;
  }

  /** Whether anything was given to the output, be it only in part. */
  public boolean hasBegunToWrite() {
    return written > 0 || writing > 0 || failedWriting;
  }

  /**
   * Stops writing and forgets what is here. The output stays open for the caller to end it in the
   * way that the reader understands as failure.
   */
  public void abandon() {
    closed = true;
    pending.clear();
  }

  private void pump() {
    if (writing > 0 || closed) {
      return;
    }
    long mayWrite = Math.min(releasable, pendingEnd) - written;
    if (mayWrite > 0) {
      writeUpTo(mayWrite);
    } else if (verified && written == pendingEnd) {
      closed = true;
      output.close();
      listener.onDelivered(written);
    }
  }

  private void writeUpTo(long mayWrite) {
    List<ByteBuffer> batch = new ArrayList<>(MAX_GATHERED);
    long left = mayWrite;
    while (left > 0 && batch.size() < MAX_GATHERED) {
      @Nullable Run head = pending.peekFirst();
      if (head == null) {
        break;
      }
      ByteBuffer bytes = head.bytes();
      if (bytes.remaining() <= left) {
        left -= bytes.remaining();
        batch.add(bytes);
        beingWritten.add(pending.removeFirst());
      } else {
        int part = (int) left;
        batch.add(bytes.slice(bytes.position(), part));
        bytes.position(bytes.position() + part);
        left = 0;
      }
    }
    writing = mayWrite - left;
    output.write(batch, writeOutcome);
  }

  private void reportProgress() {
    boolean restIsKeptOnPurpose = writing == 0 && written >= Math.min(releasable, pendingEnd);
    long safe = Math.max(reportedSafe, restIsKeptOnPurpose ? pendingEnd : written);
    if (safe > reportedSafe || written > reportedWritten) {
      reportedSafe = safe;
      reportedWritten = written;
      listener.onWritten(written, safe);
    }
  }

  private final class WriteOutcome implements ByteOutput.WriteHandler {
    @Override
    public void onWritten() {
      written += writing;
      writing = 0;
      beingWritten.forEach(OrderedWriter.this::giveBack);
      beingWritten.clear();
      if (closed) {
        return;
      }
      reportProgress();
      pump();
    }

    @Override
    public void onFailed(IOException cause) {
      writing = 0;
      failedWriting = true;
      if (!closed) {
        abandon();
        listener.onOutputFailed(cause);
      }
    }
  }
}
