package io.xmig.xia.addr;

/** The two text forms of a DAG as Click reads and prints them. */
final class DagText {
  private DagText() {}

  static Dag parseClick(String text) {
    throw new DagParseException("not a DAG", text, 0);
  }

  static String printClick(Dag dag) {
    return dag.nodes().toString();
  }
}
