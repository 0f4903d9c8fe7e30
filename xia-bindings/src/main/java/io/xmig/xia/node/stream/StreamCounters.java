package io.xmig.xia.node.stream;

import java.util.LinkedHashMap;
import java.util.Map;

/** What the stream transport has counted since it began; read by name through a handler. */
public final class StreamCounters {
  long packetsIn;
  long packetsOut;
  long bytesIn;
  long bytesOut;
  long retransmitted;
  long lost;
  long spurious;
  long timeouts;
  long duplicates;
  long malformed;
  long badChecksum;
  long unknownToken;
  long beyondWindow;
  long invalid;
  long refused;
  long accepted;
  long connected;
  long resetsIn;
  long resetsOut;
  long migrationsIn;
  long migrationsOut;
  long migrationsRejected;
  long noRoute;
  long shrunkPackets;

  StreamCounters() {}

  /** All counters by name, in a fixed order. */
  public Map<String, Long> asMap() {
    Map<String, Long> map = new LinkedHashMap<>();
    map.put("packetsIn", packetsIn);
    map.put("packetsOut", packetsOut);
    map.put("bytesIn", bytesIn);
    map.put("bytesOut", bytesOut);
    map.put("retransmitted", retransmitted);
    map.put("lost", lost);
    map.put("spurious", spurious);
    map.put("timeouts", timeouts);
    map.put("duplicates", duplicates);
    map.put("malformed", malformed);
    map.put("badChecksum", badChecksum);
    map.put("unknownToken", unknownToken);
    map.put("beyondWindow", beyondWindow);
    map.put("invalid", invalid);
    map.put("refused", refused);
    map.put("accepted", accepted);
    map.put("connected", connected);
    map.put("resetsIn", resetsIn);
    map.put("resetsOut", resetsOut);
    map.put("migrationsIn", migrationsIn);
    map.put("migrationsOut", migrationsOut);
    map.put("migrationsRejected", migrationsRejected);
    map.put("noRoute", noRoute);
    map.put("shrunkPackets", shrunkPackets);
    return map;
  }

  @Override
  public String toString() {
    return asMap().toString();
  }
}
