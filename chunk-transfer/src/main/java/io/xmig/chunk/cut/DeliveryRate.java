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
 * <p>A machine that is short of processors delivers in bursts that are several times the rate at
 * which it goes on. So the estimate is at most twice the mean of the times in which the budget was
 * used up: what is under way at the end is carried at the mean.
 *
 * @threading one thread; time is an argument
 * @source local choice: delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation) and
 *     windowed maximum as in BBR
 */
public final class DeliveryRate {
  private static final long BUCKET_NS = 2_000_000_000L;

  /** A round has at least this many pieces, and all that were under way when it began. */
  private static final int ROUND_PIECES = 16;

  /** At least so much time makes a mean. */
  private static final long LEAST_MEAN_NS = 300_000_000L;

  private static final double MOST_TIMES_MEAN = 2;

  /** Bytes acknowledged while the budget was used up, and how long that was. */
  private static final class Mean {
    long bytes;
    long ns;
  }

  private record Cut(long end, long atNs, long acknowledgedThen, long sinceNs) {}

  private final ArrayDeque<Cut> cuts = new ArrayDeque<>();
  private long acknowledged;
  private long lastNs; // of the acknowledgement before now
  private boolean started;
  private long firstNs;
  private long bucketNs;
  private boolean budgetLimited; // in this bucket
  private boolean limitedSinceLast; // since the acknowledgement before now
  private final Mean limitedNow = new Mean();
  private final Mean limitedBefore = new Mean();
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
    limitedSinceLast = true;
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
    if (limitedSinceLast && lastNs != 0) {
      limitedNow.bytes += cumulativeBytes - acknowledged;
      limitedNow.ns += nowNs - lastNs;
    }
    limitedSinceLast = false;
    acknowledged = cumulativeBytes;
    if (nowNs - bucketNs >= BUCKET_NS && budgetLimited) {
      bestBefore = bestNow;
      bestNow = 0;
      limitedBefore.bytes = limitedNow.bytes;
      limitedBefore.ns = limitedNow.ns;
      limitedNow.bytes = 0;
      limitedNow.ns = 0;
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
    double best = Math.max(bestNow, bestBefore);
    long ns = limitedNow.ns + limitedBefore.ns;
    if (ns < LEAST_MEAN_NS) {
      return best;
    }
    double mean = (limitedNow.bytes + limitedBefore.bytes) * 1e9 / ns;
    return Math.min(best, MOST_TIMES_MEAN * mean);
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
