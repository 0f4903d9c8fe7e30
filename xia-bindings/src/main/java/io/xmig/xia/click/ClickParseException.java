package io.xmig.xia.click;

import io.xmig.xia.XiaException;

/**
 * A Click file that cannot be read or does not describe a topology; the message starts with {@code
 * file:line:column}.
 */
public final class ClickParseException extends XiaException {
  private static final long serialVersionUID = 1L;

  private final String file;
  private final int line;
  private final int column;
  private final String lineText;

  ClickParseException(String what, ClickSource source, int offset) {
    super(
        Recovery.ABORT,
        source.name() + ":" + source.line(offset) + ":" + source.column(offset) + ": " + what);
    this.file = source.name();
    this.line = source.line(offset);
    this.column = source.column(offset);
    this.lineText = source.lineText(offset);
  }

  /** The file as it was named. */
  public String file() {
    return file;
  }

  /** Line, from 1. */
  public int line() {
    return line;
  }

  /** Column in the line, from 1. */
  public int column() {
    return column;
  }

  /** The line and, below it, a caret under the offending character. */
  public String pointer() {
    return lineText + System.lineSeparator() + " ".repeat(column - 1) + "^";
  }
}
