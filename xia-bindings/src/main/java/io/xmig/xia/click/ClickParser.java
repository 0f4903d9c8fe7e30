package io.xmig.xia.click;

import io.xmig.xia.click.ClickLexer.Kind;
import io.xmig.xia.click.ClickLexer.Token;
import io.xmig.xia.click.ClickScope.Connection;
import io.xmig.xia.click.ClickScope.Declaration;
import io.xmig.xia.click.ClickScope.End;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads statements of the Click language into a {@link ClickScope}.
 *
 * <pre>
 *   require(library f.click)   define($N value, …)   elementclass C { $p, … | … }
 *   a, b :: Class(args)        a[0] -&gt; b :: C -&gt; [1]c      x[0,1] =&gt; y, z      { … }
 * </pre>
 *
 * @source Click language reference; docs/click.md lists what is read
 */
final class ClickParser {
  private static final int MAX_DEPTH = 16;
  private static final int MAX_ELEMENTS = 10_000;
  private static final int MAX_CONNECTIONS = 50_000;
  private static final int MAX_PORT = 1023;

  /** Takes the name in {@code require(library NAME)} and adds what it declares to the scope. */
  interface Library {
    void require(ClickArgument argument, ClickScope scope);
  }

  /** An item of a connection: an element with the ports written before and behind it. */
  private record Item(String element, List<Integer> in, List<Integer> out, int offset) {}

  private final ClickSource source;
  private final Predicate<String> isPrimitive;
  private final Library library;
  private final List<Token> tokens;
  private int next;
  private int depth;

  /**
   * @param isPrimitive which words are element classes without being declared
   */
  ClickParser(ClickSource source, Predicate<String> isPrimitive, Library library) {
    this.source = source;
    this.isPrimitive = isPrimitive;
    this.library = library;
    this.tokens = new ClickLexer(source).tokens();
  }

  /** Reads the whole file into a scope that may already hold what others declare. */
  void parseInto(ClickScope scope) {
    statements(scope, Kind.END, "");
  }

  private void statements(ClickScope scope, Kind endKind, String endSymbol) {
    while (true) {
      Token token = peek();
      if (endKind == Kind.END ? token.kind() == Kind.END : token.is(endSymbol)) {
        next++;
        return;
      }
      if (token.is(";")) {
        next++;
      } else if (token.isWord("elementclass")) {
        elementClass(scope);
      } else if (token.isWord("require") && isConfigNext()) {
        next++;
        ClickArgument.split(source, tokens.get(next++)).forEach(a -> library.require(a, scope));
      } else if (token.isWord("define") && isConfigNext()) {
        next++;
        ClickArgument.split(source, tokens.get(next++)).forEach(a -> define(a, scope));
      } else if (token.isWord("provide") && isConfigNext()) {
        next += 2;
      } else if (token.isWord("connectiontunnel")) {
        throw error("connectiontunnel is not read here; use elementclass", token);
      } else if (token.kind() == Kind.WORD || token.is("{") || token.is("[")) {
        declarationOrConnection(scope);
      } else {
        throw error("expected a statement, found " + token.shown(), token);
      }
    }
  }

  private boolean isConfigNext() {
    return tokens.get(next + 1).kind() == Kind.CONFIG;
  }

  private static void define(ClickArgument argument, ClickScope scope) {
    String[] parts = argument.text().split("\\s+", 2);
    if (!parts[0].matches("\\$[A-Za-z0-9_]+")) {
      throw argument.error("expected $NAME value");
    }
    String value = parts.length > 1 ? parts[1] : "";
    ClickArgument written = new ClickArgument(value, argument.source(), argument.offset());
    scope.variables.put(parts[0].substring(1), written.with(scope.variables).text());
  }

  private void elementClass(ClickScope scope) {
    next++;
    Token name = word("the name of an element class");
    if (peek().is("{")) {
      scope.classes.put(name.text(), body(scope));
    } else {
      scope.aliases.put(name.text(), word("{ or the name of an element class").text());
    }
  }

  private ClickScope body(ClickScope parent) {
    Token open = expect("{");
    if (++depth > MAX_DEPTH) {
      throw error("compound elements nested more than " + MAX_DEPTH + " deep", open);
    }
    ClickScope scope = new ClickScope(parent);
    int start = next;
    while (peek().kind() == Kind.WORD && peek().text().startsWith("$")) {
      scope.parameters.add(tokens.get(next++).text().substring(1));
      if (peek().is(",")) {
        next++; // the last may be followed by one too
      }
    }
    if (peek().is("|")) {
      next++;
    } else if (next != start) {
      throw error("expected | after the parameters, found " + peek().shown(), peek());
    }
    statements(scope, Kind.SYMBOL, "}");
    depth--;
    return scope;
  }

  private void declarationOrConnection(ClickScope scope) {
    Token first = peek();
    List<Item> left = items(scope);
    if (peek().is("->") || peek().is("=>")) {
      while (peek().is("->") || peek().is("=>")) {
        Token arrow = tokens.get(next++);
        List<Item> right = items(scope);
        connect(scope, left, right, arrow);
        left = right;
      }
      return;
    }
    if (left.stream().anyMatch(item -> !item.in.isEmpty() || !item.out.isEmpty())) {
      throw error("expected -> or => after " + first.shown() + ", found " + peek().shown(), peek());
    }
  }

  /** Items separated by commas. {@code a, b :: C} declares both. */
  private List<Item> items(ClickScope scope) {
    List<Item> items = new ArrayList<>();
    List<Token> undeclared = new ArrayList<>();
    do {
      items.add(item(scope, undeclared));
    } while (skip(","));
    if (!undeclared.isEmpty()) {
      Token word = undeclared.get(0);
      throw error(
          "no element and no element class named '"
              + word.text()
              + "'; "
              + ClickClasses.unknown(word.text()),
          word);
    }
    return items;
  }

  private boolean skip(String symbol) {
    boolean found = peek().is(symbol);
    next += found ? 1 : 0;
    return found;
  }

  private Item item(ClickScope scope, List<Token> undeclared) {
    List<Integer> in = ports();
    Token start = peek();
    String element;
    if (start.is("{")) {
      element = declare(scope, null, start);
    } else {
      Token word = word("an element");
      if (peek().is("::")) {
        next++;
        undeclared.add(word);
        element = word.text();
        int classStart = next;
        for (Token name : undeclared) { // all get the same class and arguments
          next = classStart;
          declare(scope, name, peek());
        }
        undeclared.clear();
      } else if (peek().kind() == Kind.CONFIG || isClass(scope, word.text())) {
        if (scope.declarations.containsKey(word.text())) {
          if (peek().kind() == Kind.CONFIG) {
            throw error("'" + word.text() + "' is an element and takes no arguments here", word);
          }
          element = word.text();
        } else {
          next--;
          element = declare(scope, null, word);
        }
      } else {
        element = word.text();
        boolean isEnd = element.equals("input") || element.equals("output");
        if (!scope.declarations.containsKey(element) && !(isEnd && scope.parent != null)) {
          undeclared.add(word);
        }
      }
    }
    return new Item(element, in, ports(), start.offset());
  }

  private boolean isClass(ClickScope scope, String word) {
    return !scope.declarations.containsKey(word)
        && (isPrimitive.test(scope.resolve(word)) || scope.compound(scope.resolve(word)) != null);
  }

  /** Reads a class, or a body, and arguments, and declares an element of it. */
  private String declare(ClickScope scope, @Nullable Token name, Token start) {
    ClickScope body = null;
    String className = ClickScope.ANONYMOUS;
    if (peek().is("{")) {
      body = body(scope);
    } else {
      className = scope.resolve(word("an element class").text());
    }
    List<ClickArgument> arguments =
        peek().kind() == Kind.CONFIG ? ClickArgument.split(source, tokens.get(next++)) : List.of();
    int number = scope.declarations.size() + 1;
    String given = name != null ? name.text() : (body != null ? "" : className) + "@" + number;
    Token at = name != null ? name : start;
    if (given.equals("input") || given.equals("output")) {
      throw error("'" + given + "' is a name of the language", at);
    }
    if (scope.declarations.size() >= MAX_ELEMENTS) {
      throw error("more than " + MAX_ELEMENTS + " elements", at);
    }
    Declaration old =
        scope.declarations.putIfAbsent(
            given, new Declaration(given, className, body, arguments, source, at.offset()));
    if (old != null) {
      throw error(
          "'" + given + "' is declared twice, first in line " + old.source().line(old.offset()),
          at);
    }
    return given;
  }

  private List<Integer> ports() {
    List<Integer> ports = new ArrayList<>();
    if (!peek().is("[")) {
      return ports;
    }
    next++;
    do {
      Token number = word("a port number");
      boolean good = number.text().matches("[0-9]{1,4}");
      int port = good ? Integer.parseInt(number.text()) : -1;
      if (!good || port > MAX_PORT) {
        throw error("expected a port number up to " + MAX_PORT, number);
      }
      ports.add(port);
    } while (skip(","));
    expect("]");
    return ports;
  }

  private void connect(ClickScope scope, List<Item> left, List<Item> right, Token arrow) {
    boolean parallel = arrow.is("=>");
    List<End> from = ends(left, false);
    List<End> to = ends(right, true);
    if (parallel) {
      from = spread(left, from, to.size(), false);
      to = spread(right, to, from.size(), true);
    }
    int count = Math.max(from.size(), to.size());
    boolean fits = parallel ? from.size() == to.size() : Math.min(from.size(), to.size()) == 1;
    if (!fits) {
      throw error(
          "cannot connect "
              + from.size()
              + " outputs to "
              + to.size()
              + " inputs with "
              + arrow.text()
              + (parallel ? "" : "; => connects in pairs"),
          arrow);
    }
    for (int i = 0; i < count; i++) {
      End a = from.get(from.size() == 1 ? 0 : i);
      End b = to.get(to.size() == 1 ? 0 : i);
      Connection connection = new Connection(a, b, source, arrow.offset());
      if (scope.connections.size() >= MAX_CONNECTIONS) {
        throw error("more than " + MAX_CONNECTIONS + " connections", arrow);
      }
      scope.connections.add(connection);
    }
  }

  private static List<End> ends(List<Item> items, boolean inputs) {
    List<End> ends = new ArrayList<>();
    for (Item item : items) {
      List<Integer> ports = inputs ? item.in : item.out;
      for (int port : ports.isEmpty() ? List.of(0) : ports) {
        ends.add(new End(item.element, port));
      }
    }
    return ends;
  }

  /** One element without ports opposite to n ends stands for its ports 0 to n−1. */
  private static List<End> spread(List<Item> items, List<End> ends, int count, boolean inputs) {
    Item only = items.get(0);
    if (items.size() != 1 || !(inputs ? only.in : only.out).isEmpty() || count < 2) {
      return ends;
    }
    List<End> spread = new ArrayList<>();
    for (int port = 0; port < count; port++) {
      spread.add(new End(only.element, port));
    }
    return spread;
  }

  private Token word(String expected) {
    Token token = peek();
    if (token.kind() != Kind.WORD) {
      throw error("expected " + expected + ", found " + token.shown(), token);
    }
    next++;
    return token;
  }

  private Token expect(String symbol) {
    Token token = peek();
    if (!token.is(symbol)) {
      throw error("expected " + symbol + ", found " + token.shown(), token);
    }
    next++;
    return token;
  }

  private Token peek() {
    return tokens.get(next);
  }

  private ClickParseException error(String what, Token at) {
    return source.error(what, at.offset());
  }
}
