package io.xmig.xia.testkit;

import io.xmig.xia.node.FrameSink;
import io.xmig.xia.wire.EthernetFlyweight;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A learning Ethernet switch. It forwards at once; time passes on the links. */
public final class SimSwitch implements SimStation {
  private final String name;
  private final @Nullable FrameSink[] sinks;
  private final Map<Long, Integer> stations = new HashMap<>();

  SimSwitch(String name, int ports) {
    this.name = name;
    this.sinks = new FrameSink[ports];
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void plug(int port, @Nullable FrameSink out) {
    sinks[port] = out;
    if (out == null) {
      stations.values().removeIf(known -> known == port);
    }
  }

  @Override
  public void receive(int port, ByteBuffer frame) {
    int start = frame.position();
    int end = frame.limit();
    if (end - start < 14) {
      return;
    }
    long to = EthernetFlyweight.mac(frame, start);
    long from = EthernetFlyweight.mac(frame, start + 6);
    if (!EthernetFlyweight.isGroup(from)) {
      stations.put(from, port);
    }
    Integer known = EthernetFlyweight.isGroup(to) ? null : stations.get(to);
    for (int out = 0; out < sinks.length; out++) {
      FrameSink sink = sinks[out];
      if (sink != null && out != port && (known == null || known == out)) {
        frame.limit(end).position(start);
        sink.frame(frame);
      }
    }
  }
}
