package io.xmig.testbed.evaluate;

/** What the guest does while it moves. */
enum Workload {
  IDLE("idle"),
  CALCULATION("calculation"),
  DBENCH("dbench"),
  PERF("xmig perf"),
  DIRTY("dirties memory");

  private final String title;

  Workload(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }
}
