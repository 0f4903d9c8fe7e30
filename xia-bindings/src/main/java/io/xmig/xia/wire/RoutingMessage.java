package io.xmig.xia.wire;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What routing daemons and hosts send to {@code RE BHID SID_XROUTE}: texts, each followed by {@code
 * ^}, without terminator.
 *
 * @source XIA prototype v1.1, docs/wire.md sections 9 and 10
 */
public sealed interface RoutingMessage {
  /** Longest message that is read. */
  int MAX_BYTES = 8192;

  /** Most neighbours in an LSA that is read. */
  int MAX_NEIGHBOURS = 64;

  /** LSA sequence numbers stay below. */
  int SEQUENCE_MODULUS = 100_000;

  /** {@code 0^AD^HID^}: a router is there. */
  record Hello(Xid ad, Xid hid) implements RoutingMessage {}

  /** A router next to another. */
  record Neighbour(Xid ad, Xid hid) {}

  /**
   * {@code 1^type^AD^HID^sequence^n^} and n times {@code AD^HID^}: a router's neighbours.
   *
   * @param routerType 0 XIA, 1 XIA and IPv4
   * @param sequence below {@link #SEQUENCE_MODULUS}
   */
  record Lsa(int routerType, Xid ad, Xid hid, int sequence, List<Neighbour> neighbours)
      implements RoutingMessage {
    public Lsa {
      neighbours = List.copyOf(neighbours);
    }
  }

  /**
   * {@code 2^HID^}: a host is behind the port by which this comes.
   *
   * @param extensions further fields, not empty and without {@code ^}; the prototype sends none
   */
  record HostRegister(Xid hid, List<String> extensions) implements RoutingMessage {
    public HostRegister {
      extensions = List.copyOf(extensions);
    }

    /** As the prototype sends it. */
    public HostRegister(Xid hid) {
      this(hid, List.of());
    }
  }

  /**
   * Reads the bytes from position to limit, which both stay.
   *
   * @throws MalformedPacketException if they are none of the three messages
   */
  static RoutingMessage decode(ByteBuffer payload) {
    TextReader in = new TextReader("routing-message", payload, MAX_BYTES);
    List<String> fields = new ArrayList<>();
    while (in.hasRemaining()) {
      fields.add(in.readText((byte) '^'));
      if (fields.size() > 6 + 2 * MAX_NEIGHBOURS) {
        throw in.bad("with too many fields");
      }
    }
    String kind = fields.isEmpty() ? "" : fields.get(0);
    int count = fields.size();
    if (kind.equals("0") && count == 3) {
      return new Hello(in.xid(fields.get(1), XidType.AD), in.xid(fields.get(2), XidType.HID));
    }
    if (kind.equals("1") && count >= 6) {
      return decodeLsa(in, fields);
    }
    if (kind.equals("2") && count >= 2) {
      return new HostRegister(in.xid(fields.get(1), XidType.HID), fields.subList(2, count));
    }
    throw in.bad("of an unknown kind or with fields missing");
  }

  private static Lsa decodeLsa(TextReader in, List<String> fields) {
    int count = in.number(fields.get(5), MAX_NEIGHBOURS);
    if (fields.size() != 6 + 2 * count) {
      throw in.bad("without the neighbours it announces");
    }
    List<Neighbour> neighbours = new ArrayList<>(count);
    for (int i = 6; i < fields.size(); i += 2) {
      neighbours.add(
          new Neighbour(in.xid(fields.get(i), XidType.AD), in.xid(fields.get(i + 1), XidType.HID)));
    }
    return new Lsa(
        in.number(fields.get(1), 1),
        in.xid(fields.get(2), XidType.AD),
        in.xid(fields.get(3), XidType.HID),
        in.number(fields.get(4), SEQUENCE_MODULUS - 1),
        neighbours);
  }

  /** The bytes of the message. */
  default byte[] encode() {
    StringBuilder out = new StringBuilder(256);
    if (this instanceof Hello m) {
      append(out, 0, m.ad, m.hid);
    } else if (this instanceof Lsa m) {
      append(out, 1, m.routerType, m.ad, m.hid, m.sequence, m.neighbours.size());
      m.neighbours.forEach(n -> append(out, n.ad, n.hid));
    } else if (this instanceof HostRegister m) {
      append(out, 2, m.hid);
      m.extensions.forEach(e -> append(out, e));
    }
    return out.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void append(StringBuilder out, Object... fields) {
    for (Object field : fields) {
      out.append(field).append('^');
    }
  }
}
