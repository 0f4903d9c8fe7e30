package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RouteTableTest {
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void answersLikeAMapWhateverIsSetAndRemoved(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    RouteTable table = new RouteTable(XidType.HID, RoutePort.FALLBACK);
    Map<Xid, Integer> model = new HashMap<>();
    ByteBuffer packet = ByteBuffer.allocate(40);
    int keys = random.nextInt(1, 60);
    for (int i = 0; i < 400; i++) {
      // Few distinct words, so that keys differ in one of them only.
      Xid xid = Xid.of(0x11, random.nextInt(keys), random.nextInt(2), random.nextInt(2));
      if (random.nextInt(3) > 0) {
        table.set(xid, i, null, 0);
        model.put(xid, i);
      } else {
        assertThat(table.remove(xid)).isEqualTo(model.remove(xid) != null);
      }
      assertThat(table.size()).isEqualTo(model.size());
      Xid asked = Xid.of(0x11, random.nextInt(keys), random.nextInt(2), random.nextInt(2));
      asked.write(packet, 8);
      assertThat(table.lookup(packet, 8).port())
          .isEqualTo(model.getOrDefault(asked, RoutePort.FALLBACK));
    }
    Map<Xid, Integer> listed = new HashMap<>();
    table.forEach(route -> listed.put(route.destination(), route.port()));
    assertThat(listed).isEqualTo(model);
  }

  @Test
  void listsAsClickDoes() {
    RouteTable table = new RouteTable(XidType.AD, RoutePort.FALLBACK);
    table.set(Xid.parse("AD:1000000000000000000000000000000000000000"), RoutePort.LOCAL, null, 0);
    assertThat(table.list())
        .isEqualTo("-,-7,,0\nAD:1000000000000000000000000000000000000000,-2,,0\n");
    table.setDefault(0, Xid.parse("HID:1100000000000000000000000000000000000000"), 0xffff);
    assertThat(table.list()).startsWith("-,0,HID:1100000000000000000000000000000000000000,65535\n");
  }

  @Test
  void findsEveryKeyInAProbeSequenceAfterRemovals() {
    RouteTable table = new RouteTable(XidType.CID, RoutePort.FALLBACK);
    for (int i = 0; i < 5000; i++) {
      table.set(Xid.of(0x12, i, ~i, i), i, null, 0);
    }
    for (int i = 0; i < 5000; i += 2) {
      assertThat(table.remove(Xid.of(0x12, i, ~i, i))).isTrue();
    }
    for (int i = 1; i < 5000; i += 2) {
      Route route = table.find(Xid.of(0x12, i, ~i, i));
      assertThat(route).isNotNull();
      assertThat(route.port()).isEqualTo(i);
    }
    assertThat(table.find(Xid.of(0x12, 2, ~2, 2))).isNull();
  }
}
