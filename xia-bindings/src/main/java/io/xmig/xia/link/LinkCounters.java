package io.xmig.xia.link;

/**
 * Counts of one link. Written by the link's loop; other threads may read them and see values that
 * are a little old.
 */
public final class LinkCounters {
  long framesIn;
  long bytesIn;
  long framesOut;
  long bytesOut;
  long queueDrops;
  long lossDrops;
  long oversizeDrops;
  long absentDrops;
  long errors;

  /** Frames received. */
  public long framesIn() {
    return framesIn;
  }

  /** Bytes received, Ethernet headers included. */
  public long bytesIn() {
    return bytesIn;
  }

  /** Frames sent. */
  public long framesOut() {
    return framesOut;
  }

  /** Bytes sent, Ethernet headers included. */
  public long bytesOut() {
    return bytesOut;
  }

  /** Frames that found the queue full. */
  public long queueDrops() {
    return queueDrops;
  }

  /** Frames lost on purpose by an emulated link. */
  public long lossDrops() {
    return lossDrops;
  }

  /** Frames longer than the link carries, or shorter than an Ethernet header. */
  public long oversizeDrops() {
    return oversizeDrops;
  }

  /** Frames for which there was nobody at the other end. */
  public long absentDrops() {
    return absentDrops;
  }

  /** Calls that failed otherwise. */
  public long errors() {
    return errors;
  }

  @Override
  public String toString() {
    return "in "
        + framesIn
        + "/"
        + bytesIn
        + " out "
        + framesOut
        + "/"
        + bytesOut
        + " drops queue "
        + queueDrops
        + " loss "
        + lossDrops
        + " oversize "
        + oversizeDrops
        + " absent "
        + absentDrops
        + " errors "
        + errors;
  }
}
