package io.xmig.xia.click;

/** The text of a Click file, and where in it an offset lies. */
record ClickSource(String name, String text) {
  private static final int MAX_SHOWN = 160;

  int line(int offset) {
    int line = 1;
    for (int i = 0; i < Math.min(offset, text.length()); i++) {
      if (text.charAt(i) == '\n') {
        line++;
      }
    }
    return line;
  }

  int column(int offset) {
    return Math.min(offset, text.length()) - lineStart(offset) + 1;
  }

  String lineText(int offset) {
    int start = lineStart(offset);
    int end = text.indexOf('\n', start);
    String line = text.substring(start, end < 0 ? text.length() : end).replace('\t', ' ');
    return line.length() > MAX_SHOWN ? line.substring(0, MAX_SHOWN) + "…" : line;
  }

  private int lineStart(int offset) {
    return offset <= 0 ? 0 : text.lastIndexOf('\n', Math.min(offset, text.length()) - 1) + 1;
  }

  ClickParseException error(String what, int offset) {
    return new ClickParseException(what, this, offset);
  }
}
