package io.xmig.control.pipe;

import java.util.Map;

/** Hears of the turns that a transfer takes, for status lines and logs. */
@FunctionalInterface
public interface PipeEvents {
  /** Hears nothing. */
  PipeEvents NONE = (name, facts) -> {};

  /**
   * Something has happened. Names and facts are listed in docs/protocol.md, status lines.
   *
   * @param name e.g. {@code connected}
   * @param facts values are numbers, truth values or text
   */
  void event(String name, Map<String, ?> facts);
}
