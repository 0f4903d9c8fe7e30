package io.xmig.xia.addr;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The two text forms of a DAG: read with the construction of Click or of libdagaddr, printed as
 * Click prints them.
 *
 * <pre>
 *   re    = "RE" step { step }            step  = [ "(" xid { xid } ")" ] xid
 *   dag   = "DAG" edges { xid edges } xid  edges = { index } "-"
 * </pre>
 *
 * <p>Tokens are separated by white space. The {@code -} may be missing after four indices, as Click
 * writes it. Stricter than Click in that every node must be reachable and lead to the sink: Click
 * writes other graphs to the wire with the final intent in the wrong place.
 *
 * @source XIA prototype v1.1, docs/wire.md section 3
 */
final class DagText {
  /** Longest text that is looked at. Twenty nodes with four edges need about 1,300 characters. */
  static final int MAX_TEXT = 8192;

  /** How the fallback chain of the RE form is linked. */
  enum Construction {
    /** Every fallback node also has an edge to the node that the chain stands in for. */
    CLICK,
    /** Only the last fallback node has it. */
    LIBDAGADDR
  }

  private record Token(String text, int start) {}

  private final String text;
  private final Function<String, @Nullable Xid> names;
  private final List<Token> tokens = new ArrayList<>();
  private int next;

  private DagText(String text, Function<String, @Nullable Xid> names) {
    if (text.length() > MAX_TEXT) {
      throw new DagParseException(
          "a DAG text has at most " + MAX_TEXT + " characters, this one " + text.length(),
          text,
          MAX_TEXT);
    }
    this.text = text;
    this.names = names;
    int at = 0;
    while (at < text.length()) {
      if (isSpace(text.charAt(at))) {
        at++;
        continue;
      }
      int start = at;
      while (at < text.length() && !isSpace(text.charAt(at))) {
        at++;
      }
      tokens.add(new Token(text.substring(start, at), start));
    }
  }

  /** Reads a DAG as Click does and puts its nodes into Click's order. */
  static Dag parseClick(String text, Function<String, @Nullable Xid> names) {
    return new DagText(text, names).parse(Construction.CLICK);
  }

  /** Reads a DAG as libdagaddr does: the order of the nodes is that of the text. */
  static Dag parseLibdagaddr(String text) {
    return new DagText(text, name -> null).parse(Construction.LIBDAGADDR);
  }

  private Dag parse(Construction construction) {
    if (tokens.isEmpty()) {
      throw new DagParseException("expected RE or DAG", text, text.length());
    }
    Token form = tokens.get(next++);
    DagTextGraph graph = new DagTextGraph();
    switch (form.text) {
      case "RE" -> parseRe(graph, construction);
      case "DAG" -> parseDag(graph);
      default -> throw new DagParseException("expected RE or DAG", text, form.start);
    }
    int lost = graph.firstMisplaced();
    if (lost >= 0) {
      throw new DagParseException(
          "node " + lost + " is on no path from the source to the final intent, or on a cycle",
          text,
          graph.columns.get(lost));
    }
    return construction == Construction.CLICK ? graph.sorted() : graph.asWritten();
  }

  private void parseRe(DagTextGraph graph, Construction construction) {
    int from = DagTextGraph.SOURCE;
    do {
      List<Integer> fallback = new ArrayList<>();
      if (more() && peek().text.equals("(")) {
        Token open = tokens.get(next++);
        while (more() && !peek().text.equals(")")) {
          fallback.add(readNode(graph));
        }
        if (!more()) {
          throw new DagParseException("no ) for this (", text, open.start);
        }
        Token close = tokens.get(next++);
        if (fallback.isEmpty()) {
          throw new DagParseException("expected an XID before )", text, close.start);
        }
      }
      int main = readNode(graph);
      graph.addEdge(from, main);
      if (!fallback.isEmpty()) {
        graph.addEdge(from, fallback.get(0));
      }
      for (int k = 0; k < fallback.size(); k++) {
        boolean last = k + 1 == fallback.size();
        if (last || construction == Construction.CLICK) {
          graph.addEdge(fallback.get(k), main);
        }
        if (!last) {
          graph.addEdge(fallback.get(k), fallback.get(k + 1));
        }
      }
      from = main;
    } while (more());
  }

  private void parseDag(DagTextGraph graph) {
    List<Token> targets = new ArrayList<>();
    List<Integer> origins = new ArrayList<>();
    int from = DagTextGraph.SOURCE;
    while (true) {
      int edges = 0;
      while (more() && isIndex(peek().text)) {
        if (++edges > Dag.MAX_EDGES) {
          throw new DagParseException("a node has at most 4 edges", text, peek().start);
        }
        targets.add(tokens.get(next++));
        origins.add(from);
      }
      if (more() && peek().text.equals("-")) {
        next++;
      } else if (edges < Dag.MAX_EDGES) {
        throw new DagParseException(
            edges == 0 && from != DagTextGraph.SOURCE
                ? "expected the edges of this node, ended by -"
                : "expected a node index or -",
            text,
            column());
      }
      if (edges == 0) {
        throw new DagParseException(
            "expected at least one node index before -", text, tokens.get(next - 1).start);
      }
      from = readNode(graph);
      if (!more()) {
        break;
      }
    }
    for (int i = 0; i < targets.size(); i++) {
      Token token = targets.get(i);
      int target = Integer.parseInt(token.text);
      if (target >= graph.nodes.size()) {
        throw new DagParseException(
            "there is no node " + target + ", only 0 to " + (graph.nodes.size() - 1),
            text,
            token.start);
      }
      graph.addEdge(origins.get(i), target);
    }
  }

  private int readNode(DagTextGraph graph) {
    if (!more()) {
      throw new DagParseException("expected an XID", text, text.length());
    }
    Token token = tokens.get(next++);
    if (graph.nodes.size() == Dag.MAX_NODES) {
      throw new DagParseException(
          "a DAG has at most " + Dag.MAX_NODES + " nodes", text, token.start);
    }
    Xid named = token.text.indexOf(':') < 0 ? names.apply(token.text) : null;
    Xid xid = named != null ? named : XidText.parse(text, token.start, token.text.length());
    return graph.addNode(xid, token.start);
  }

  private boolean more() {
    return next < tokens.size();
  }

  private Token peek() {
    return tokens.get(next);
  }

  private int column() {
    return more() ? peek().start : text.length();
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }

  /** At most three digits, so that {@link Integer#parseInt} cannot fail. */
  private static boolean isIndex(String token) {
    if (token.isEmpty() || token.length() > 3) {
      return false;
    }
    for (int i = 0; i < token.length(); i++) {
      if (token.charAt(i) < '0' || token.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  /** Click's printer: RE if the graph fits it, else DAG; one line. */
  static String printClick(Dag dag) {
    String re = printRe(dag);
    return re != null ? "RE " + re : "DAG " + printDag(dag);
  }

  /** The RE form without its first word, or {@code null} if the graph does not fit. */
  static @Nullable String printRe(Dag dag) {
    StringBuilder out = new StringBuilder(dag.size() * 46);
    int sink = dag.size() - 1;
    int at = sink; // the edges of the source stand in the sink
    int printed = 0;
    do {
      int[] edges = used(dag, at);
      if (edges.length == 0 || edges.length > 2) {
        return null;
      }
      int main = edges[0];
      if (edges.length == 2) {
        out.append("( ");
        int member = edges[1];
        while (member >= 0) {
          if (member == sink || ++printed > sink) {
            return null;
          }
          int[] onward = used(dag, member);
          if (onward.length == 0 || onward.length > 2 || onward[0] != main) {
            return null;
          }
          out.append(dag.node(member)).append(' ');
          member = onward.length == 2 ? onward[1] : -1;
        }
        out.append(") ");
      }
      if (++printed > dag.size()) {
        return null;
      }
      out.append(dag.node(main)).append(' ');
      at = main;
    } while (at != sink);
    if (printed != dag.size()) {
      return null; // a node that no path reaches cannot be said in RE
    }
    out.setLength(out.length() - 1);
    return out.toString();
  }

  /** The DAG form without its first word; as Click's it stops at the first unused edge. */
  static String printDag(Dag dag) {
    StringBuilder out = new StringBuilder(dag.size() * 54);
    int sink = dag.size() - 1;
    appendEdges(out, dag, sink);
    for (int node = 0; node < sink; node++) {
      out.append(dag.node(node)).append(' ');
      appendEdges(out, dag, node);
    }
    return out.append(dag.node(sink)).toString();
  }

  private static void appendEdges(StringBuilder out, Dag dag, int node) {
    int k = 0;
    while (k < Dag.MAX_EDGES && dag.edge(node, k) != Dag.UNUSED_EDGE) {
      out.append(dag.edge(node, k++)).append(' ');
    }
    if (k < Dag.MAX_EDGES) {
      out.append("- ");
    }
  }

  private static int[] used(Dag dag, int node) {
    int[] edges = new int[Dag.MAX_EDGES];
    int count = 0;
    for (int k = 0; k < Dag.MAX_EDGES; k++) {
      if (dag.edge(node, k) != Dag.UNUSED_EDGE) {
        edges[count++] = dag.edge(node, k);
      }
    }
    return Arrays.copyOf(edges, count);
  }
}
