package io.xmig.chunk.compress;

import java.util.Locale;

/** Whether chunk payloads are compressed. */
public enum Compression {
  /** Never. */
  OFF,
  /** Always, except where it makes a chunk no smaller. */
  ON,
  /** Where measured rate, ratio and speed say that it makes the transfer faster. */
  AUTO;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
