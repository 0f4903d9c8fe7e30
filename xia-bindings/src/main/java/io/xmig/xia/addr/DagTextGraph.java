package io.xmig.xia.addr;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The graph of a DAG text while it is read: nodes in the order of the text, the last the sink. */
final class DagTextGraph {
  /** Index that stands for the virtual source. */
  static final int SOURCE = -1;

  final List<Xid> nodes = new ArrayList<>();
  final List<Integer> columns = new ArrayList<>();
  private final List<List<Integer>> edges = new ArrayList<>(List.of(new ArrayList<>()));

  /** Adds a node written at {@code column} and returns its index. */
  int addNode(Xid xid, int column) {
    nodes.add(xid);
    columns.add(column);
    edges.add(new ArrayList<>());
    return nodes.size() - 1;
  }

  void addEdge(int from, int to) {
    edges(from).add(to);
  }

  private List<Integer> edges(int node) {
    return edges.get(node + 1);
  }

  /**
   * The first node that Click's order would leave out or put behind the sink: one on a cycle, one
   * that nothing leads to, or one that leads nowhere; −1 if all is well.
   */
  int firstMisplaced() {
    int sink = nodes.size() - 1;
    int[] order = order();
    for (int node = 0; node < sink; node++) {
      if (order[node] < 0 || order[node] > order[sink] || edges(node).isEmpty()) {
        return node;
      }
    }
    return order[sink] < 0 || !edges(sink).isEmpty() ? sink : -1;
  }

  /** The nodes in the order of the text. */
  Dag asWritten() {
    int[] identity = new int[nodes.size()];
    Arrays.setAll(identity, i -> i);
    return build(identity);
  }

  /** The nodes in Click's order. */
  Dag sorted() {
    int[] wireIndex = order();
    return build(wireIndex);
  }

  private Dag build(int[] wireIndex) {
    int count = nodes.size();
    Xid[] xids = new Xid[count];
    int[][] targets = new int[count][];
    for (int node = 0; node < count; node++) {
      xids[wireIndex[node]] = nodes.get(node);
      int holder = node == count - 1 ? SOURCE : node;
      targets[wireIndex[node]] = edges(holder).stream().mapToInt(to -> wireIndex[to]).toArray();
    }
    return Dag.of(List.of(xids), List.of(targets));
  }

  /**
   * Click's topological order: from the source, a stack of nodes all of whose predecessors have
   * been taken. Because it is a stack, the branch of the lowest priority comes first.
   *
   * @return for each node its wire index, −1 if the walk from the source never takes it
   */
  private int[] order() {
    int count = nodes.size();
    int[] indegree = new int[count];
    for (List<Integer> out : edges) {
      for (int to : out) {
        indegree[to]++;
      }
    }
    int[] order = new int[count];
    Arrays.fill(order, -1);
    int[] stack = new int[count + 1];
    int depth = 0;
    stack[depth++] = SOURCE;
    int taken = 0;
    while (depth > 0) {
      int node = stack[--depth];
      if (node != SOURCE) {
        order[node] = taken++;
      }
      for (int to : edges(node)) {
        if (--indegree[to] == 0) {
          stack[depth++] = to;
        }
      }
    }
    return order;
  }
}
