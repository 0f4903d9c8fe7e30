package io.xmig.xia.addr;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The prototype's C address structure and the address text of its library libdagaddr, which differ
 * in details from Click's.
 *
 * <pre>
 *  0           2         4        5          8
 *  | sx_family | padding | s_count | padding | s_addr: 28 bytes for each node … up to 568 |
 * </pre>
 *
 * <p>Little-endian, XID types included. A {@link Dag} read here keeps libdagaddr's order of the
 * nodes: that of the text, the sink last. libdagaddr does not sort.
 *
 * @source XIA prototype v1.1, docs/wire.md section 3; C structures as measured on x86-64
 */
public final class SockaddrX {
  /** The address family. */
  public static final int AF_XIA = 40;

  /** Size of the whole structure. */
  public static final int LENGTH = 568;

  private static final int COUNT_OFFSET = 4;
  private static final int NODES_OFFSET = 8;

  private SockaddrX() {}

  /** How many bytes at the start of the structure mean something for this DAG. */
  public static int meaningfulLength(Dag dag) {
    return NODES_OFFSET + dag.size() * Dag.NODE_LENGTH;
  }

  /**
   * Reads the structure at {@code offset}; position and limit stay.
   *
   * @param length bytes available, at least {@code 8 + 28 · s_count}
   * @throws IllegalArgumentException if the bytes are not an XIA address. They come from this
   *     process or from a library loaded into it, not from a peer
   */
  public static Dag read(ByteBuffer buffer, int offset, int length) {
    ByteBuffer in = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    if (length < NODES_OFFSET) {
      throw new IllegalArgumentException("a sockaddr_x has at least 8 bytes, not " + length);
    }
    int family = Short.toUnsignedInt(in.getShort(offset));
    int count = Byte.toUnsignedInt(in.get(offset + COUNT_OFFSET));
    if (family != AF_XIA) {
      throw new IllegalArgumentException("address family " + family + ", not " + AF_XIA);
    }
    if (count == 0 || count > Dag.MAX_NODES || NODES_OFFSET + count * Dag.NODE_LENGTH > length) {
      throw new IllegalArgumentException("sockaddr_x with " + count + " nodes in " + length);
    }
    List<Xid> nodes = new ArrayList<>(count);
    List<int[]> edges = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int at = offset + NODES_OFFSET + i * Dag.NODE_LENGTH;
      int type = in.getInt(at);
      in.order(ByteOrder.BIG_ENDIAN);
      nodes.add(Xid.of(type, in.getLong(at + 4), in.getLong(at + 12), in.getInt(at + 20)));
      in.order(ByteOrder.LITTLE_ENDIAN);
      int[] out = new int[Dag.MAX_EDGES];
      for (int k = 0; k < Dag.MAX_EDGES; k++) {
        out[k] = Byte.toUnsignedInt(in.get(at + Xid.LENGTH + k));
      }
      edges.add(out);
    }
    return Dag.of(nodes, edges);
  }

  /**
   * Writes the structure at {@code offset}: {@link #meaningfulLength} bytes; position and limit
   * stay. The rest of the {@value #LENGTH} bytes is not touched.
   */
  public static void write(Dag dag, ByteBuffer buffer, int offset) {
    ByteBuffer out = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    out.putShort(offset, (short) AF_XIA).putShort(offset + 2, (short) 0);
    out.putInt(offset + COUNT_OFFSET, dag.size());
    out.put(offset + NODES_OFFSET, dag.wireBytes());
    for (int i = 0; i < dag.size(); i++) {
      out.putInt(offset + NODES_OFFSET + i * Dag.NODE_LENGTH, dag.node(i).typeCode());
    }
  }

  /**
   * Parses RE or DAG text as libdagaddr builds it: nodes in the order of the text, and of a
   * fallback chain only the last node linked to the node it stands in for.
   *
   * @throws DagParseException pointing at the character that does not fit
   */
  public static Dag parse(String text) {
    return DagText.parseLibdagaddr(text);
  }

  /**
   * Prints as libdagaddr does: always the DAG form, on several lines. This is what API calls with a
   * {@code sockaddr_x} send to Click, and what the name service stores.
   *
   * @param dag in libdagaddr's order, as {@link #parse} and {@link #read} give it
   */
  public static String print(Dag dag) {
    StringBuilder out = new StringBuilder("DAG");
    int sink = dag.size() - 1;
    appendEdges(out, dag, sink);
    for (int node = 0; node < sink; node++) {
      out.append(dag.node(node));
      appendEdges(out, dag, node);
    }
    return out.append(dag.node(sink)).toString();
  }

  private static void appendEdges(StringBuilder out, Dag dag, int node) {
    for (int k = 0; k < Dag.MAX_EDGES; k++) {
      if (dag.edge(node, k) != Dag.UNUSED_EDGE) {
        out.append(' ').append(dag.edge(node, k));
      }
    }
    out.append(" - \n");
  }

  /**
   * The address on the wire of a packet sent through the prototype's API to an address given as
   * text: parsed by libdagaddr, printed for Click, parsed and sorted by Click.
   *
   * @throws DagParseException if the text is not a DAG
   */
  public static Dag toWireOrder(String text) {
    return Dag.parse(print(parse(text)));
  }
}
