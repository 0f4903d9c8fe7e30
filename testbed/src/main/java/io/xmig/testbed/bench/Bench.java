package io.xmig.testbed.bench;

import java.util.List;

/** One of the things that {@code xmig bench} measures. */
interface Bench {
  /** Measures; blocks for as long as that takes. */
  List<Figure> run(BenchOptions options, Journal journal) throws Exception;

  /** Told how far a bench is and what its processes used. */
  interface Journal {
    /** What is being done now. */
    void now(String what);

    /** What the processes of a bench have used since its warm-up. */
    void used(String bench, String setting, java.util.Map<String, ProcessUse> processes);
  }
}
