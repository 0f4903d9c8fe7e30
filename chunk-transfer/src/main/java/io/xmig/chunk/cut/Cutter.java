package io.xmig.chunk.cut;

import io.xmig.xia.socket.EventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Takes bytes from an input, never more than the budget, and cuts them into pieces.
 *
 * <p>Bytes are collected into larger pieces only while enough others are under way to keep the path
 * busy; otherwise what is there goes at once. So batching never delays a byte: when the input
 * pauses, or ends as in the stop-and-copy phase, nothing stays behind.
 *
 * @threading the loop
 */
public final class Cutter {
  /** Pieces under way beyond which bytes are collected even though the path might idle. */
  private static final int MANY_PIECES = 256;

  /** Reads smaller than this wait for more budget, unless nothing is under way. */
  private static final int LEAST_READ = 16 * 1024;

  private static final int LEAST_UNDER_WAY = 256 * 1024;

  /** Where pieces go. */
  public interface Output {
    /** The next piece; the callee releases its slab. */
    void onPiece(Piece piece);

    /** All pieces have been given. */
    void onEnd(long lengthBytes);

    /** The input broke; no more pieces. */
    void onInputFailed(IOException cause);
  }

  private final EventLoop loop;
  private final ByteInput input;
  private final InFlightBudget budget;
  private final ChunkSizing sizing;
  private final SlabPool pool;
  private final Output output;
  private final ReadOutcome readOutcome = new ReadOutcome();

  private @Nullable Slab slab;
  private int cutAt; // position in the slab up to which pieces were cut
  private int filled; // position in the slab up to which bytes were read
  private int targetBytes;
  private long taken;
  private long cut;
  private long acknowledged;
  private long sequence;
  private int piecesOut;
  private boolean reading;
  private boolean ended;
  private boolean closed;

  public Cutter(
      EventLoop loop,
      ByteInput input,
      InFlightBudget budget,
      ChunkSizing sizing,
      SlabPool pool,
      Output output) {
    this.loop = loop;
    this.input = input;
    this.budget = budget;
    this.sizing = sizing;
    this.pool = pool;
    this.output = output;
    this.targetBytes = sizing.minBytes();
  }

  /** Slabs that fit pieces of this sizing. */
  public static SlabPool poolFor(ChunkSizing sizing) {
    return new SlabPool(sizing.maxBytes());
  }

  /** Begins to read. */
  public void start() {
    fill();
  }

  /**
   * The other end has written this many bytes of the stream to its output.
   *
   * @param pieces how many pieces that completes
   */
  public void onAcknowledged(long cumulativeBytes, int pieces) {
    acknowledged = cumulativeBytes;
    piecesOut -= pieces;
    budget.rate().onAcknowledged(loop.nanoTime(), cumulativeBytes);
    cutWhatShouldGo();
    fill();
  }

  /** Stops reading and gives no more pieces. */
  public void close() {
    closed = true;
    input.close();
  }

  /** Bytes taken from the input. */
  public long takenBytes() {
    return taken;
  }

  /** Bytes taken and not acknowledged. */
  public long inFlightBytes() {
    return taken - acknowledged;
  }

  /** The size of piece aimed at now. */
  public int targetBytes() {
    return targetBytes;
  }

  /** The budget now. */
  public long budgetBytes() {
    return budget.limitBytes(loop.nanoTime(), targetBytes);
  }

  private void fill() {
    if (reading || ended || closed) {
      return;
    }
    long limit = budget.limitBytes(loop.nanoTime(), targetBytes);
    targetBytes = sizing.targetBytes(budget.rate().bytesPerSecond(), limit);
    long inFlight = taken - acknowledged;
    long room = limit - inFlight;
    if (room <= 0 || (inFlight > 0 && room < Math.min(LEAST_READ, limit / 2))) {
      budget.rate().onBudgetLimited();
      return;
    }
    Slab target = slabWithRoom();
    reading = true;
    int most = (int) Math.min(room, target.capacity() - filled);
    input.read(target.view(filled, most), readOutcome);
  }

  private Slab slabWithRoom() {
    Slab current = slab;
    if (current != null
        && current.capacity() - filled >= Math.min(4096, Math.max(1, current.capacity() / 8))) {
      return current;
    }
    if (current != null) {
      if (filled > cutAt) {
        cutPiece(current, filled - cutAt);
      }
      current.release();
    }
    current = pool.take();
    slab = current;
    cutAt = 0;
    filled = 0;
    return current;
  }

  private void cutWhatShouldGo() {
    Slab current = slab;
    if (current == null || closed) {
      return;
    }
    while (filled - cutAt >= targetBytes) {
      cutPiece(current, targetBytes);
    }
    long enough = Math.max(LEAST_UNDER_WAY, 2 * budget.pathBytes());
    boolean pathWouldIdle = cut - acknowledged < enough && piecesOut < MANY_PIECES;
    if (filled > cutAt && (ended || pathWouldIdle)) {
      cutPiece(current, filled - cutAt);
    }
  }

  private void cutPiece(Slab from, int length) {
    ByteBuffer data = from.view(cutAt, length);
    from.retain();
    Piece piece = new Piece(sequence++, cut, from, data);
    cutAt += length;
    cut += length;
    piecesOut++;
    budget.rate().onCut(loop.nanoTime(), cut);
    output.onPiece(piece);
  }

  private final class ReadOutcome implements ByteInput.ReadHandler {
    @Override
    public void onRead(int bytes) {
      reading = false;
      if (closed) {
        return;
      }
      if (bytes < 0) {
        ended = true;
        cutWhatShouldGo();
        Slab last = slab;
        if (last != null) {
          last.release();
          slab = null;
        }
        output.onEnd(cut);
        return;
      }
      filled += bytes;
      taken += bytes;
      cutWhatShouldGo();
      fill();
    }

    @Override
    public void onFailed(IOException cause) {
      reading = false;
      if (!closed) {
        closed = true;
        output.onInputFailed(cause);
      }
    }
  }
}
