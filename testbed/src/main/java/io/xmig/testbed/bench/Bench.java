package io.xmig.testbed.bench;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** One of the things that {@code xmig bench} measures. */
interface Bench {
  /**
   * Measures; blocks for as long as that takes.
   *
   * @throws IOException if the place for the processes cannot be made
   */
  List<Figure> run(BenchOptions options, Journal journal) throws IOException;

  /** Told how far a bench is and what its processes used. */
  interface Journal {
    /** What is being done now. */
    void now(String what);

    /** What the processes of a bench have used since its warm-up. */
    void used(String bench, String setting, Map<String, ProcessUse> processes);
  }
}
