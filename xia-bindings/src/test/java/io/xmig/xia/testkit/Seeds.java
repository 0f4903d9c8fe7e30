package io.xmig.xia.testkit;

import java.util.stream.LongStream;

/**
 * The source of seeds for parameterised tests.
 *
 * <pre>
 * &#64;ParameterizedTest(name = "seed {0}")
 * &#64;MethodSource("io.xmig.xia.testkit.Seeds#seeds")
 * </pre>
 *
 * {@code -Dxmig.seeds=N} sets how many seeds run (default 300); {@code -Dxmig.seed=S} replays one.
 */
public final class Seeds {
  private static final int DEFAULT_COUNT = 300;

  private Seeds() {}

  /** The seeds of this run. */
  public static LongStream seeds() {
    return first(count());
  }

  /** A tenth of the seeds of this run, at least one: for tests that take long for each. */
  public static LongStream few() {
    return first(Math.max(1, count() / 10));
  }

  /** How many seeds {@link #seeds} gives unless one is replayed. */
  public static int count() {
    String given = System.getProperty("xmig.seeds", "").trim();
    return given.isEmpty() ? DEFAULT_COUNT : Integer.parseInt(given);
  }

  private static LongStream first(int count) {
    String one = System.getProperty("xmig.seed", "").trim();
    return one.isEmpty() ? LongStream.rangeClosed(1, count) : LongStream.of(Long.parseLong(one));
  }
}
