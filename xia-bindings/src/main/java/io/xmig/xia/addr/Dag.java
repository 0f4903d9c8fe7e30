package io.xmig.xia.addr;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An XIA address: a directed acyclic graph from a virtual source to its final intent, each node
 * with up to four outgoing edges in order of priority (all but the first are fallbacks). Immutable.
 *
 * <p>Nodes stand in wire order and the last one is the sink. As on the wire, "the source lives in
 * the sink": {@link #edge} of the last node gives the edges of the virtual source.
 *
 * @source XIA prototype v1.1, docs/wire.md sections 2 and 3
 */
public final class Dag {
  /** Edges a node may have. */
  public static final int MAX_EDGES = 4;

  /** Index that marks an unused edge. */
  public static final int UNUSED_EDGE = 0x7f;

  /** Nodes in a {@code sockaddr_x}. */
  public static final int MAX_NODES = 20;

  /** Bytes of a node on the wire: an XID and four edge bytes. */
  public static final int NODE_LENGTH = Xid.LENGTH + MAX_EDGES;

  private final Xid[] nodes;
  private final byte[] edges; // MAX_EDGES per node, visited bit clear
  private final byte[] wire;

  private Dag(Xid[] nodes, byte[] edges) {
    this.nodes = nodes;
    this.edges = edges;
    ByteBuffer out = ByteBuffer.allocate(nodes.length * NODE_LENGTH);
    for (int i = 0; i < nodes.length; i++) {
      nodes[i].write(out, i * NODE_LENGTH);
      out.put(i * NODE_LENGTH + Xid.LENGTH, edges, i * MAX_EDGES, MAX_EDGES);
    }
    this.wire = out.array();
  }

  /**
   * A DAG from nodes in wire order.
   *
   * @param nodes 1 to 20 nodes, the sink last
   * @param edges for each node its edges by priority; those of the sink are the source's
   * @throws IllegalArgumentException when an index points nowhere, the edges make a cycle, or there
   *     are too many nodes or edges
   */
  public static Dag of(List<Xid> nodes, List<int[]> edges) {
    if (nodes.isEmpty() || nodes.size() > MAX_NODES || edges.size() != nodes.size()) {
      throw new IllegalArgumentException(
          "a DAG has 1 to 20 nodes with one edge list each, not "
              + nodes.size()
              + " and "
              + edges.size());
    }
    byte[] packed = new byte[nodes.size() * MAX_EDGES];
    Arrays.fill(packed, (byte) UNUSED_EDGE);
    for (int i = 0; i < edges.size(); i++) {
      int[] out = edges.get(i);
      if (out.length > MAX_EDGES) {
        throw new IllegalArgumentException("a DAG node has at most 4 edges, not " + out.length);
      }
      for (int k = 0; k < out.length; k++) {
        if (out[k] != UNUSED_EDGE && (out[k] < 0 || out[k] >= nodes.size())) {
          throw new IllegalArgumentException("edge to node " + out[k] + " of " + nodes.size());
        }
        packed[i * MAX_EDGES + k] = (byte) out[k];
      }
    }
    if (!isAcyclic(packed, nodes.size())) {
      throw new IllegalArgumentException("the edges of " + nodes + " make a cycle");
    }
    return new Dag(nodes.toArray(new Xid[0]), packed);
  }

  /** The plain path {@code first → … → last} without fallbacks, as in {@code RE AD HID SID}. */
  public static Dag path(Xid... steps) {
    List<int[]> edges = new ArrayList<>();
    for (int i = 0; i + 1 < steps.length; i++) {
      edges.add(new int[] {i + 1});
    }
    edges.add(new int[] {0});
    return of(List.of(steps), edges);
  }

  /**
   * {@code RE ( fallback… ) intent} as Click builds it: the intent is tried first at every node,
   * then the next step of the fallback path. The usual address of a chunk or a service: fallback =
   * AD, HID.
   */
  public static Dag withFallback(List<Xid> fallback, Xid intent) {
    int sink = fallback.size();
    List<Xid> all = new ArrayList<>(fallback);
    all.add(intent);
    List<int[]> edges = new ArrayList<>();
    for (int i = 0; i < sink; i++) {
      edges.add(i + 1 < sink ? new int[] {sink, i + 1} : new int[] {sink});
    }
    edges.add(sink == 0 ? new int[] {0} : new int[] {sink, 0});
    return of(all, edges);
  }

  /**
   * Parses RE or DAG text as Click reads it and orders the nodes as Click writes them.
   *
   * @throws DagParseException pointing at the character that does not fit
   */
  public static Dag parse(String text) {
    return DagText.parseClick(text, name -> null);
  }

  /**
   * Like {@link #parse(String)}, and words without a colon are looked up, as in Click files with
   * their {@code XIAXIDInfo}: {@code RE AD0 HID0}.
   *
   * @param names the XID of a name, or {@code null} if there is none
   */
  public static Dag parse(String text, Function<String, @Nullable Xid> names) {
    return DagText.parseClick(text, names);
  }

  /**
   * Reads {@code count} node entries as they stand in an XIP header; visited marks are dropped.
   *
   * @return {@code null} when the entries are not a DAG: none or more than 20 nodes, an edge that
   *     leads out of the graph, or a cycle
   */
  public static @Nullable Dag tryRead(ByteBuffer buffer, int offset, int count) {
    if (count < 1 || count > MAX_NODES) {
      return null;
    }
    Xid[] nodes = new Xid[count];
    byte[] edges = new byte[count * MAX_EDGES];
    for (int i = 0; i < count; i++) {
      int at = offset + i * NODE_LENGTH;
      nodes[i] = Xid.read(buffer, at);
      for (int k = 0; k < MAX_EDGES; k++) {
        int target = buffer.get(at + Xid.LENGTH + k) & UNUSED_EDGE;
        if (target != UNUSED_EDGE && target >= count) {
          return null;
        }
        edges[i * MAX_EDGES + k] = (byte) target;
      }
    }
    return isAcyclic(edges, count) ? new Dag(nodes, edges) : null;
  }

  /**
   * Whether no path comes back to where it was. Edges of the sink are the source's and end paths.
   */
  private static boolean isAcyclic(byte[] edges, int count) {
    int sink = count - 1;
    int settled = 1 << sink; // nodes all of whose paths end
    for (int round = 0; round < count; round++) {
      int before = settled;
      for (int node = 0; node < sink; node++) {
        boolean ends = true;
        for (int k = 0; k < MAX_EDGES; k++) {
          int target = edges[node * MAX_EDGES + k];
          ends &= target == UNUSED_EDGE || (settled & 1 << target) != 0;
        }
        if (ends) {
          settled |= 1 << node;
        }
      }
      if (settled == before) {
        break;
      }
    }
    return settled == (1 << count) - 1;
  }

  /** Number of nodes, the sink included. */
  public int size() {
    return nodes.length;
  }

  /** The node at a wire index. */
  public Xid node(int index) {
    return nodes[index];
  }

  /** The nodes in wire order. */
  public List<Xid> nodes() {
    return List.of(nodes);
  }

  /**
   * The target of an edge.
   *
   * @param node wire index; that of the sink means the virtual source
   * @param priority 0 (first choice) to 3
   * @return a wire index or {@link #UNUSED_EDGE}
   */
  public int edge(int node, int priority) {
    return edges[node * MAX_EDGES + priority];
  }

  /** The final intent. */
  public Xid intent() {
    return nodes[nodes.length - 1];
  }

  /** The first node of the given type in wire order, or {@code null}. */
  public @Nullable Xid first(XidType type) {
    for (Xid node : nodes) {
      if (node.is(type)) {
        return node;
      }
    }
    return null;
  }

  /**
   * The host before the intent, by which replies and registrations identify the owner; or {@code
   * null}.
   */
  public @Nullable Xid host() {
    for (int i = nodes.length - 1; i >= 0; i--) {
      if (nodes[i].is(XidType.HID)) {
        return nodes[i];
      }
    }
    return null;
  }

  /**
   * The same graph with every occurrence of one node exchanged for another, e.g. the AD after a
   * move.
   */
  public Dag replace(Xid old, Xid with) {
    Xid[] changed = nodes.clone();
    for (int i = 0; i < changed.length; i++) {
      if (changed[i].equals(old)) {
        changed[i] = with;
      }
    }
    return new Dag(changed, edges);
  }

  /** The same graph leading to another final intent, e.g. another service of the same host. */
  public Dag withIntent(Xid intent) {
    Xid[] changed = nodes.clone();
    changed[changed.length - 1] = intent;
    return new Dag(changed, edges);
  }

  /**
   * The node entries as they stand in an XIP header: {@code 28 · size()} bytes. This is the
   * instance's own array; callers must not write to it.
   */
  public byte[] wireBytes() {
    return wire;
  }

  /**
   * Text in the RE form when the graph fits it, else in the DAG form; one line (Click's printer).
   */
  @Override
  public String toString() {
    return DagText.printClick(this);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Dag d && Arrays.equals(wire, d.wire);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(wire);
  }
}
