package io.xmig.xia.click;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a file or the body of a compound element declares, before compounds are expanded. */
final class ClickScope {
  /** Class of a declaration whose class is a body in braces. */
  static final String ANONYMOUS = "";

  /** An element: class by name, or given as a body. */
  record Declaration(
      String name,
      String className,
      @Nullable ClickScope body,
      List<ClickArgument> arguments,
      ClickSource source,
      int offset) {
    ClickParseException error(String what) {
      return source.error(what, offset);
    }
  }

  /** One end of a connection. */
  record End(String element, int port) {}

  /** A connection between two elements of the scope, {@code input} and {@code output} included. */
  record Connection(End from, End to, ClickSource source, int offset) {}

  final @Nullable ClickScope parent;
  final List<String> parameters = new ArrayList<>();
  final Map<String, Declaration> declarations = new LinkedHashMap<>();
  final List<Connection> connections = new ArrayList<>();
  final Map<String, String> variables = new LinkedHashMap<>();
  final Map<String, ClickScope> classes = new LinkedHashMap<>();
  final Map<String, String> aliases = new LinkedHashMap<>();

  ClickScope(@Nullable ClickScope parent) {
    this.parent = parent;
  }

  /** The body of a compound class visible here, or {@code null}. */
  @Nullable ClickScope compound(String className) {
    for (ClickScope scope = this; scope != null; scope = scope.parent) {
      ClickScope found = scope.classes.get(className);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** What a class is really called, where {@code elementclass A B} made A another name of B. */
  String resolve(String className) {
    String name = className;
    for (int i = 0; i < 8; i++) {
      String next = null;
      for (ClickScope scope = this; scope != null && next == null; scope = scope.parent) {
        next = scope.aliases.get(name);
      }
      if (next == null) {
        return name;
      }
      name = next;
    }
    return name;
  }
}
