package io.xmig.xia.click;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One argument of a configuration string: its text without comments and surrounding space, and
 * where it stands.
 */
record ClickArgument(String text, ClickSource source, int offset) {
  /** Longest argument after the values of variables have been put in. */
  private static final int MAX_LENGTH = 65_536;

  private static final Pattern VARIABLE =
      Pattern.compile("\\$(?:\\{([A-Za-z0-9_]+)\\}|([A-Za-z0-9_]+))");

  ClickParseException error(String what) {
    return source.error(what, offset);
  }

  /** The words of the argument; a quoted one is one word. */
  List<String> words() {
    List<String> words = new ArrayList<>();
    Matcher matcher = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)").matcher(text);
    while (matcher.find()) {
      for (int group = 1; group <= 3; group++) {
        if (matcher.group(group) != null) {
          words.add(matcher.group(group));
        }
      }
    }
    return words;
  }

  /** The argument without the quotes around it. */
  String unquoted() {
    boolean quoted =
        text.length() >= 2
            && (text.charAt(0) == '"' || text.charAt(0) == '\'')
            && text.charAt(text.length() - 1) == text.charAt(0);
    return quoted ? text.substring(1, text.length() - 1) : text;
  }

  /** Puts the values of variables in; unknown ones stay, as in Click. */
  ClickArgument with(Map<String, String> variables) {
    if (text.indexOf('$') < 0) {
      return this;
    }
    StringBuilder out = new StringBuilder();
    Matcher matcher = VARIABLE.matcher(text);
    int from = 0;
    while (matcher.find()) {
      String name = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
      String value = variables.get(name);
      out.append(text, from, matcher.start()).append(value == null ? matcher.group() : value);
      from = matcher.end();
      if (out.length() > MAX_LENGTH) {
        throw error("an argument of more than " + MAX_LENGTH + " characters");
      }
    }
    return new ClickArgument(out.append(text, from, text.length()).toString(), source, offset);
  }

  /** Splits a configuration string at its commas. An empty string has no arguments. */
  static List<ClickArgument> split(ClickSource source, ClickLexer.Token config) {
    List<ClickArgument> arguments = new ArrayList<>();
    String text = config.text();
    StringBuilder clean = new StringBuilder();
    int first = -1; // offset of the first character that is not blank
    int depth = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (text.startsWith("//", i)) {
        int end = text.indexOf('\n', i);
        i = end < 0 ? text.length() : end;
        clean.append(' ');
      } else if (text.startsWith("/*", i)) {
        i = text.indexOf("*/", i + 2) + 1;
        clean.append(' ');
      } else if (c == ',' && depth == 0) {
        arguments.add(argument(source, config, clean, first < 0 ? i : first));
        clean.setLength(0);
        first = -1;
      } else {
        int end = i;
        if (c == '"' || c == '\'') {
          end = text.indexOf(c, i + 1);
          while (c == '"' && end > 0 && text.charAt(end - 1) == '\\') {
            end = text.indexOf(c, end + 1);
          }
          end = end < 0 ? text.length() - 1 : end;
        }
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (first < 0 && !Character.isWhitespace(c)) {
          first = i;
        }
        clean.append(text, i, end + 1);
        i = end;
      }
    }
    if (first >= 0) { // Click drops an empty last argument
      arguments.add(argument(source, config, clean, first));
    }
    return arguments;
  }

  private static ClickArgument argument(
      ClickSource source, ClickLexer.Token config, StringBuilder clean, int at) {
    return new ClickArgument(clean.toString().strip(), source, config.offset() + at);
  }
}
