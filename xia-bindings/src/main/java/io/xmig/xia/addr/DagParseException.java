package io.xmig.xia.addr;

import io.xmig.xia.XiaException;
import java.util.Map;

/**
 * A text that is not an XID or a DAG. Points at the character where reading stopped making sense.
 */
public final class DagParseException extends XiaException {
  private static final long serialVersionUID = 1L;

  private final String text;
  private final int column;

  /**
   * @param what what was expected
   * @param text the whole text
   * @param column 0-based index into {@code text} of the offending character
   */
  public DagParseException(String what, String text, int column) {
    super(Recovery.ABORT, what, Map.of("column", column + 1, "text", clip(text)));
    this.text = text;
    this.column = column;
  }

  private static String clip(String text) {
    String oneLine = text.replace('\n', ' ');
    return oneLine.length() <= 200 ? oneLine : oneLine.substring(0, 200) + "…";
  }

  /** 0-based index of the offending character. */
  public int column() {
    return column;
  }

  /** The text and, on a second line, a caret under the offending character. */
  public String pointer() {
    return text.replace('\n', ' ') + System.lineSeparator() + " ".repeat(column) + "^";
  }
}
