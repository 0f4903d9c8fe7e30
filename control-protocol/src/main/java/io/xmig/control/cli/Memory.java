package io.xmig.control.cli;

/** Memory of a process that has time now. */
final class Memory {
  private Memory() {}

  /** Has the heap shrink, and the direct buffers go that nobody holds any more. */
  static void release() {
    System.gc();
  }
}
