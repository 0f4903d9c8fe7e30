package io.xmig.chunk.cut;

import java.util.ArrayDeque;

/**
 * Measures, from acknowledgements, the rate at which a path carries bytes all the way to the output
 * and how long the way is.
 *
 * <p>Each piece gives a sample: what was acknowledged from the last acknowledgement before its
 * cutting up to its own, by that time. So acknowledgements that come in one lump, since one chunk
 * was late and all others waited for it, count for as long as the lump took to gather. The estimate
 * is the largest sample of the last few seconds, so that a loss or a pause of the machine does not
 * make the budget small, which would make the next samples small. A time in which the input gave
 * less than the budget allowed says nothing about the path and does not age the estimate.
 *
 * @threading one thread; time is an argument
 * @source local choice: delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation) and
 *     windowed maximum as in BBR
 */
public final class DeliveryRate {
  private static final long BUCKET_NS = 2_000_000_000L;

  /** A round has at least this many pieces, and all that were under way when it began. */
  private static final int ROUND_PIECES = 16;

  private record Cut(long end, long atNs, long acknowledgedThen, long sinceNs) {}

  private final ArrayDeque<Cut> cuts = new ArrayDeque<>();
  private long acknowledged;
  private long lastNs; // of the acknowledgement before now
  private boolean started;
  private long firstNs;
  private long bucketNs;
  private boolean budgetLimited; // in this bucket
  private double bestNow;
  private double bestBefore;
  private long shortest = Long.MAX_VALUE;
  private long mean = Long.MAX_VALUE;
  private long roundEnd;
  private long roundTook;
  private int roundPieces;

  /** The sender could not take more since the budget was used up. */
  public void onBudgetLimited() {
    budgetLimited = true;
  }

  /** A piece has been cut that ends at this position of the stream. */
  public void onCut(long nowNs, long end) {
    // with nothing under way the path has not worked since
    cuts.add(new Cut(end, nowNs, acknowledged, cuts.isEmpty() ? nowNs : lastNs));
  }

  /**
   * An acknowledgement.
   *
   * @param cumulativeBytes bytes acknowledged since the start of the stream
   */
  public void onAcknowledged(long nowNs, long cumulativeBytes) {
    if (!started) {
      started = true;
      firstNs = nowNs;
      bucketNs = nowNs;
    }
    acknowledged = cumulativeBytes;
    if (nowNs - bucketNs >= BUCKET_NS && budgetLimited) {
      bestBefore = bestNow;
      bestNow = 0;
      budgetLimited = false;
      bucketNs = nowNs;
    }
    while (!cuts.isEmpty() && cuts.getFirst().end() <= cumulativeBytes) {
      Cut cut = cuts.removeFirst();
      long took = Math.max(1, nowNs - cut.atNs());
      shortest = Math.min(shortest, took);
      roundTook += took;
      roundPieces++;
      long gathered = Math.max(took, nowNs - cut.sinceNs());
      bestNow = Math.max(bestNow, (cumulativeBytes - cut.acknowledgedThen()) * 1e9 / gathered);
    }
    lastNs = nowNs;
    if (roundPieces > 0 && (mean == Long.MAX_VALUE || isRoundOver())) {
      mean = Math.min(mean, roundTook / roundPieces);
      if (isRoundOver()) {
        roundTook = 0;
        roundPieces = 0;
        roundEnd = cuts.isEmpty() ? cumulativeBytes : cuts.getLast().end();
      }
    }
  }

  private boolean isRoundOver() {
    return roundPieces >= ROUND_PIECES && acknowledged >= roundEnd;
  }

  /** The estimate, 0 while there is none. */
  public double bytesPerSecond() {
    return Math.max(bestNow, bestBefore);
  }

  /** The path may be another one from now on: how long it is is found out anew. */
  public void onPathChange() {
    shortest = Long.MAX_VALUE;
    mean = Long.MAX_VALUE;
    roundTook = 0;
    roundPieces = 0;
  }

  /**
   * Shortest time from cutting to acknowledgement on this path, 0 while there is none. Not of the
   * last seconds, since what waits in the queues of a full path counts in all of those.
   */
  public long shortestNs() {
    return shortest == Long.MAX_VALUE ? 0 : shortest;
  }

  /**
   * Mean time from cutting to acknowledgement, 0 while there is none; that of the round in which it
   * was least. On a lossy path nearly every piece waits for an earlier one that is sent again.
   */
  public long meanNs() {
    return mean == Long.MAX_VALUE ? 0 : mean;
  }

  /** Time since the first acknowledgement, −1 before it. */
  public long measuredNs(long nowNs) {
    return started ? nowNs - firstNs : -1;
  }
}
