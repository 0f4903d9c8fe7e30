package io.xmig.xia.click;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts a Click file into tokens. A configuration string, whatever is in it, is one token. */
final class ClickLexer {
  /** What a token is. */
  enum Kind {
    /** A name, a class, a keyword, a number or a {@code $variable}. */
    WORD,
    /** The text between two parentheses. */
    CONFIG,
    /** {@code -> => :: ; , [ ] { } |}. */
    SYMBOL,
    /** After the last. */
    END
  }

  /** A token; of a configuration string the offset is that of the first character inside. */
  record Token(Kind kind, String text, int offset) {
    boolean is(String symbol) {
      return kind == Kind.SYMBOL && text.equals(symbol);
    }

    boolean isWord(String word) {
      return kind == Kind.WORD && text.equals(word);
    }

    String shown() {
      return switch (kind) {
        case END -> "the end of the file";
        case CONFIG -> "(…)";
        default -> "'" + text + "'";
      };
    }
  }

  /** A comment on a line of its own that names the node of the name server. */
  private static final Pattern NAME_SERVER =
      Pattern.compile(
          "(?m)^[ \\t]*//[ \\t]*([A-Za-z0-9_@/]+)[ \\t]*::[ \\t]*nameserver[ \\t]*\\r?$");

  private static final int MAX_TOKENS = 200_000;

  private final ClickSource source;
  private final String text;
  private int at;

  ClickLexer(ClickSource source) {
    this.source = source;
    this.text = source.text();
  }

  /** The node named by a comment {@code // host0 :: nameserver}, and where; possibly none. */
  static List<Token> nameServerHints(ClickSource source) {
    List<Token> hints = new ArrayList<>();
    Matcher matcher = NAME_SERVER.matcher(source.text());
    while (matcher.find()) {
      hints.add(new Token(Kind.WORD, matcher.group(1), matcher.start(1)));
    }
    return hints;
  }

  List<Token> tokens() {
    List<Token> tokens = new ArrayList<>();
    Token token;
    do {
      token = next();
      if (tokens.size() == MAX_TOKENS) {
        throw source.error("more than " + MAX_TOKENS + " tokens", token.offset);
      }
      tokens.add(token);
    } while (token.kind != Kind.END);
    return tokens;
  }

  private Token next() {
    skipBlank();
    int start = at;
    if (at == text.length()) {
      return new Token(Kind.END, "", start);
    }
    char c = text.charAt(at);
    if (c == '(') {
      return config();
    }
    if (isWordCharacter(c) || c == '$') {
      at++;
      while (at < text.length() && isWordCharacter(text.charAt(at)) && !atComment()) {
        at++;
      }
      return new Token(Kind.WORD, text.substring(start, at), start);
    }
    for (String symbol : List.of("->", "=>", "::", "||", ";", ",", "[", "]", "{", "}", "|")) {
      if (text.startsWith(symbol, at)) {
        at += symbol.length();
        return new Token(Kind.SYMBOL, symbol, start);
      }
    }
    throw source.error("unexpected character '" + c + "'", start);
  }

  private Token config() {
    int open = at++;
    int depth = 1;
    while (at < text.length()) {
      if (atComment()) {
        skipComment();
        continue;
      }
      char c = text.charAt(at);
      if (c == '"' || c == '\'') {
        skipQuoted(c);
        continue;
      }
      at += c == '\\' && at + 1 < text.length() ? 2 : 1;
      if (c == '(') {
        depth++;
      } else if (c == ')' && --depth == 0) {
        return new Token(Kind.CONFIG, text.substring(open + 1, at - 1), open + 1);
      }
    }
    throw source.error("no ) for this (", open);
  }

  private void skipQuoted(char quote) {
    int open = at++;
    while (at < text.length() && text.charAt(at) != quote) {
      at += text.charAt(at) == '\\' && quote == '"' && at + 1 < text.length() ? 2 : 1;
    }
    if (at >= text.length()) {
      throw source.error("no end of this quotation", open);
    }
    at++;
  }

  private void skipBlank() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        at++;
      } else if (atComment()) {
        skipComment();
      } else {
        return;
      }
    }
  }

  private boolean atComment() {
    return text.startsWith("//", at) || text.startsWith("/*", at);
  }

  private void skipComment() {
    boolean toLineEnd = text.charAt(at + 1) == '/';
    int end = toLineEnd ? text.indexOf('\n', at) : text.indexOf("*/", at + 2);
    if (end < 0 && !toLineEnd) {
      throw source.error("no end of this comment", at);
    }
    at = end < 0 ? text.length() : end + (toLineEnd ? 1 : 2);
  }

  private static boolean isWordCharacter(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '_'
        || c == '@'
        || c == '/';
  }
}
