package io.xmig.xia.click;

import io.xmig.xia.addr.Xid;
import java.util.HashMap;
import java.util.Map;

/**
 * What the prototype's libraries define: names of XIDs and constants.
 *
 * @source XIA prototype v1.1, docs/wire.md section 1
 */
final class ClickNames {
  /** Names that every topology may use without declaring them. */
  static final Map<String, Xid> XIDS = xids();

  /** Variables that every topology may use. */
  static final Map<String, String> CONSTANTS =
      Map.of(
          "DESTINED_FOR_DISCARD", "-1",
          "DESTINED_FOR_LOCALHOST", "-2",
          "DESTINED_FOR_DHCP", "-3",
          "DESTINED_FOR_BROADCAST", "-4",
          "REDIRECT", "-5",
          "UNREACHABLE", "-6",
          "FALLBACK", "-7");

  private ClickNames() {}

  private static Map<String, Xid> xids() {
    Map<String, Xid> names = new HashMap<>();
    names.put("BHID", Xid.BHID);
    names.put("SID_XHCP", Xid.SID_XHCP);
    names.put("SID_XROUTE", Xid.SID_XROUTE);
    names.put("SID_NS", Xid.SID_NS);
    for (int i = 0; i <= 5; i++) {
      names.put("HID" + i, Xid.parse("HID:" + "0".repeat(39) + i));
    }
    for (int i = 0; i <= 4; i++) {
      names.put("AD" + i, Xid.parse("AD:1" + "0".repeat(38) + i));
    }
    for (int i = 0; i <= 3; i++) {
      names.put("RHID" + i, Xid.parse("HID:11" + "0".repeat(37) + i));
      names.put("XHCP_HID" + i, Xid.parse("HID:12" + "0".repeat(37) + (i + 1)));
    }
    names.put("CID0", Xid.parse("CID:2" + "0".repeat(38) + 1));
    names.put("IPID1", Xid.parse("IP:1.0.0.2"));
    names.put("AD_INIT", Xid.parse("AD:1" + "0".repeat(36) + "999"));
    return Map.copyOf(names);
  }
}
