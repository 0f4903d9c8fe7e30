package io.xmig.xia.click;

import io.xmig.xia.click.ClickScope.Connection;
import io.xmig.xia.click.ClickScope.Declaration;
import io.xmig.xia.click.ClickScope.End;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A configuration with its compound elements expanded: {@code a :: C} with {@code x} in its body
 * becomes {@code a/x}. The node classes of the embedded node are not expanded.
 */
final class ClickGraph {
  private static final int MAX_ELEMENTS = 20_000;
  private static final int MAX_DEPTH = 32;
  private static final int MAX_CONNECTIONS = 100_000;

  final Map<String, Declaration> elements = new LinkedHashMap<>();
  final List<Connection> connections = new ArrayList<>();

  private final List<Connection> raw = new ArrayList<>();
  private final Set<String> tunnels = new HashSet<>();

  private int depth;

  private ClickGraph() {}

  static ClickGraph expand(ClickScope top) {
    ClickGraph graph = new ClickGraph();
    graph.expand(top, "", Map.of());
    graph.joinTunnels();
    return graph;
  }

  private void expand(ClickScope scope, String prefix, Map<String, String> outer) {
    Map<String, String> variables = new HashMap<>(outer);
    scope.variables.forEach(
        (name, value) -> {
          if (!scope.parameters.contains(name)) {
            variables.put(name, value);
          }
        });
    Map<String, String> bodies = new HashMap<>(); // compound elements of this scope
    for (Declaration declared : scope.declarations.values()) {
      String name = prefix + declared.name();
      List<ClickArgument> arguments =
          declared.arguments().stream().map(a -> a.with(variables)).toList();
      ClickScope body = bodyOf(scope, declared);
      if (body == null) {
        if (elements.size() >= MAX_ELEMENTS) {
          throw declared.error("more than " + MAX_ELEMENTS + " elements");
        }
        elements.put(
            name,
            new Declaration(
                name, declared.className(), null, arguments, declared.source(), declared.offset()));
        continue;
      }
      if (arguments.size() != body.parameters.size()) {
        throw declared.error(
            "'"
                + name
                + "' takes "
                + body.parameters.size()
                + " arguments, found "
                + arguments.size());
      }
      bodies.put(declared.name(), name);
      Map<String, String> inner = new HashMap<>(variables);
      for (int i = 0; i < arguments.size(); i++) {
        inner.put(body.parameters.get(i), arguments.get(i).text());
      }
      if (++depth > MAX_DEPTH) {
        throw declared.error("compound elements expand more than " + MAX_DEPTH + " deep");
      }
      expand(body, name + "/", inner);
      depth--;
    }
    for (Connection c : scope.connections) {
      if (raw.size() >= MAX_CONNECTIONS) {
        throw c.source().error("more than " + MAX_CONNECTIONS + " connections", c.offset());
      }
      raw.add(
          new Connection(
              place(c.from(), prefix, bodies, "/output", "input"),
              place(c.to(), prefix, bodies, "/input", "output"),
              c.source(),
              c.offset()));
    }
  }

  /** The body to put in the place of a declared element, or {@code null} for a primitive one. */
  private static @Nullable ClickScope bodyOf(ClickScope scope, Declaration declared) {
    if (declared.body() != null) {
      return declared.body();
    }
    return ClickClasses.OURS.contains(declared.className())
        ? null
        : scope.compound(declared.className());
  }

  private End place(
      End end, String prefix, Map<String, String> bodies, String side, String tunnelName) {
    String name = prefix + end.element();
    if (bodies.containsKey(end.element())) {
      name += side;
      tunnels.add(name);
    } else if (end.element().equals(tunnelName) && !prefix.isEmpty()) {
      tunnels.add(name);
    }
    return new End(name, end.port());
  }

  private void joinTunnels() {
    Map<End, List<Connection>> leaving = new HashMap<>();
    for (Connection c : raw) {
      leaving.computeIfAbsent(c.from(), end -> new ArrayList<>()).add(c);
    }
    for (Connection c : raw) {
      if (!tunnels.contains(c.from().element())) {
        follow(c, c.to(), leaving, new HashSet<>());
      }
    }
  }

  private void follow(
      Connection start, End to, Map<End, List<Connection>> leaving, Set<End> passed) {
    if (!tunnels.contains(to.element())) {
      if (connections.size() >= MAX_CONNECTIONS) {
        throw start.source().error("more than " + MAX_CONNECTIONS + " connections", start.offset());
      }
      connections.add(new Connection(start.from(), to, start.source(), start.offset()));
      return;
    }
    if (passed.size() > 1000 || !passed.add(to)) {
      return; // a circle of tunnels carries nothing
    }
    for (Connection next : leaving.getOrDefault(to, List.of())) {
      follow(start, next.to(), leaving, passed);
    }
  }
}
