package io.xmig.xia.wire;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The beacon by which a gateway router tells hosts where they are, sent every second to {@code RE
 * BHID SID_XHCP}.
 *
 * <pre>
 *  0                 4               6
 *  | sequence (LE32) | count (LE16)  | entries: type (LE16), text, 00 …
 * </pre>
 *
 * @param sequence counts beacons from 0, unsigned
 * @param ad the router's AD (entry 1)
 * @param hid the router's HID (entry 2)
 * @param fourId the router's 4ID (entry 3), {@link Xid#NULL_4ID} if it has none
 * @param nameServer the name server's address (entry 4), text as configured
 * @param extensions entries of other types, at least {@value #FIRST_EXTENSION}, which the
 *     prototype's client skips
 * @source XIA prototype v1.1, docs/wire.md section 9
 */
public record XhcpBeacon(
    int sequence, Xid ad, Xid hid, Xid fourId, String nameServer, Map<Integer, String> extensions) {
  /** First type of extension entries. */
  public static final int FIRST_EXTENSION = 0x40;

  /** Longest beacon; the prototype's buffers have 1,024 bytes. */
  public static final int MAX_BYTES = 1024;

  /** Most entries in a beacon. */
  public static final int MAX_ENTRIES = 32;

  private static final int TYPE_AD = 1;
  private static final int TYPE_HID = 2;
  private static final int TYPE_FOUR_ID = 3;
  private static final int TYPE_NAME_SERVER = 4;

  public XhcpBeacon {
    extensions = Collections.unmodifiableMap(new LinkedHashMap<>(extensions));
  }

  /** A beacon as the prototype sends it. */
  public XhcpBeacon(int sequence, Xid ad, Xid hid, Xid fourId, String nameServer) {
    this(sequence, ad, hid, fourId, nameServer, Map.of());
  }

  /**
   * Reads the bytes from position to limit, which both stay. Entries may come in any order; of
   * several of one type the last counts.
   *
   * @throws MalformedPacketException if it is not a beacon with all four entries
   */
  public static XhcpBeacon decode(ByteBuffer payload) {
    TextReader in = new TextReader("xhcp-beacon", payload, MAX_BYTES);
    int sequence = in.readInt();
    int count = in.readShort();
    if (count < 0 || count > MAX_ENTRIES) {
      throw in.bad("with too many entries");
    }
    Xid ad = null;
    Xid hid = null;
    Xid fourId = null;
    String nameServer = null;
    Map<Integer, String> extensions = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      int type = in.readShort();
      String text = in.readText((byte) 0);
      switch (type) {
        case TYPE_AD -> ad = in.xid(text, XidType.AD);
        case TYPE_HID -> hid = in.xid(text, XidType.HID);
        case TYPE_FOUR_ID -> fourId = in.xid(text, XidType.IP);
        case TYPE_NAME_SERVER -> nameServer = text;
        default -> {
          if (type >= FIRST_EXTENSION) {
            extensions.put(type, text);
          }
        }
      }
    }
    if (ad == null || hid == null || fourId == null || nameServer == null) {
      throw in.bad("without all four entries");
    }
    return new XhcpBeacon(sequence, ad, hid, fourId, nameServer, extensions);
  }

  /**
   * The bytes of the beacon.
   *
   * @throws IllegalArgumentException if it would be longer than {@link #MAX_BYTES}
   */
  public byte[] encode() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(384);
    ByteBuffer head = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(sequence).putShort((short) (4 + extensions.size()));
    out.writeBytes(head.array());
    putEntry(out, TYPE_AD, ad.toString());
    putEntry(out, TYPE_HID, hid.toString());
    putEntry(out, TYPE_FOUR_ID, fourId.toString());
    putEntry(out, TYPE_NAME_SERVER, nameServer);
    extensions.forEach((type, text) -> putEntry(out, type, text));
    if (out.size() > MAX_BYTES) {
      throw new IllegalArgumentException("a beacon of " + out.size() + " bytes");
    }
    return out.toByteArray();
  }

  private static void putEntry(ByteArrayOutputStream out, int type, String text) {
    out.write(type);
    out.write(type >> 8);
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    out.write(0);
  }

  /**
   * The name server's address.
   *
   * @throws DagParseException if the text is not an address
   */
  public Dag nameServerDag() {
    return Dag.parse(nameServer);
  }
}
