package io.xmig.testbed.perf;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What is measured between a client and a server. */
public enum PerfTest {
  /** Bytes from the client to the server over STREAM. */
  STREAM,
  /** Bytes from the server to the client over STREAM. */
  REVERSE,
  /** Datagrams from the client to the server at a given rate. */
  DGRAM,
  /** Request and response over STREAM, one outstanding on each connection. */
  RR,
  /** Request and response by datagrams, one outstanding on each socket. */
  DGRAM_RR;

  /** How users write it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The test of this name.
   *
   * @throws IllegalArgumentException naming those there are
   */
  public static PerfTest named(String word) {
    return Arrays.stream(values())
        .filter(test -> test.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no test '"
                        + word
                        + "', there are "
                        + Arrays.stream(values())
                            .map(PerfTest::word)
                            .collect(Collectors.joining(", "))));
  }

  boolean onStream() {
    return this == STREAM || this == REVERSE || this == RR;
  }

  boolean asksAndAnswers() {
    return this == RR || this == DGRAM_RR;
  }
}
