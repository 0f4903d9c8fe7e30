package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EthernetSwitchTest {
  private static final long BROADCAST = 0xffff_ffff_ffffL;
  private final VirtualLoop loop = new VirtualLoop();
  private final EthernetSwitch lan = new EthernetSwitch(loop, "lan");
  private final MemoryLink[] stations = new MemoryLink[3];
  private final List<List<Long>> heard = new ArrayList<>();

  @BeforeEach
  void threeStations() {
    for (int i = 0; i < 3; i++) {
      MemoryLink[] wire = MemoryLink.pair(loop, "port" + i, LinkOptions.ofMtu(1500));
      stations[i] = wire[0];
      lan.attach(wire[1]);
      List<Long> sources = new ArrayList<>();
      heard.add(sources);
      wire[0].receiver(frame -> sources.add(frame.getLong(frame.position() + 4) & BROADCAST));
    }
  }

  private void send(int station, long from, long to, int type) {
    ByteBuffer frame = ByteBuffer.allocate(60);
    frame.putLong(0, to << 16).putShort(12, (short) type);
    for (int i = 0; i < 6; i++) {
      frame.put(6 + i, (byte) (from >> 8 * (5 - i)));
    }
    stations[station].frame(frame);
    loop.runUntil(loop.nanoTime() + 1000);
  }

  @Test
  void floodsUntilItHasHeardTheAddressThenSendsToOnePort() {
    send(0, 0xa, 0xb, 0xC0DE);
    assertThat(heard.get(1)).containsExactly(0xaL);
    assertThat(heard.get(2)).containsExactly(0xaL);
    send(1, 0xb, 0xa, 0xC0DE);
    assertThat(heard.get(0)).containsExactly(0xbL);
    assertThat(heard.get(2)).containsExactly(0xaL);
    send(0, 0xa, 0xb, 0xC0DE);
    assertThat(heard.get(1)).containsExactly(0xaL, 0xaL);
    assertThat(heard.get(2)).containsExactly(0xaL);
  }

  @Test
  void followsAMachineThatAnnouncesItselfElsewhereWithItsFirstRarp() {
    List<String> announced = new ArrayList<>();
    lan.onRarp((link, mac) -> announced.add(link.name() + " " + Long.toHexString(mac)));
    send(0, 0xa, BROADCAST, 0xC0DE);
    send(1, 0x525400123456L, BROADCAST, 0xC0DE);
    send(2, 0x525400123456L, BROADCAST, 0x8035);
    assertThat(announced).containsExactly("port2.b 525400123456");
    heard.forEach(List::clear);
    send(0, 0xa, 0x525400123456L, 0xC0DE);
    assertThat(heard.get(2)).containsExactly(0xaL);
    assertThat(heard.get(1)).isEmpty();
    assertThat(lan.moves()).isEqualTo(1);
  }

  @Test
  void neverSendsAFrameBackWhereItCameFrom() {
    send(0, 0xa, 0xb, 0xC0DE);
    send(0, 0xb, 0xa, 0xC0DE);
    assertThat(heard.get(0)).isEmpty();
  }

  @Test
  void forgetsAddressesThatWereSilentForFiveMinutes() {
    send(0, 0xa, 0xb, 0xC0DE);
    assertThat(lan.locate(0xa)).isNotNull();
    loop.runUntil(loop.nanoTime() + 301_000_000_000L);
    assertThat(lan.locate(0xa)).isNull();
  }

  @Test
  void survivesAFloodOfAddresses() {
    for (long mac = 1; mac <= 20_000; mac++) {
      send(0, mac * 2, 0xb, 0xC0DE);
    }
    assertThat(lan.knownAddresses()).isEqualTo(EthernetSwitch.MAX_ADDRESSES);
    assertThat(heard.get(1)).hasSize(20_000);
    loop.runUntil(loop.nanoTime() + 301_000_000_000L);
    send(2, 0xf, 0xd, 0xC0DE);
    assertThat(lan.knownAddresses()).isEqualTo(1);
  }

  @Test
  void forgetsWhatWasBehindAPortThatIsTakenAway() {
    send(0, 0xa, 0xb, 0xC0DE);
    lan.detach(lan.links().get(0));
    assertThat(lan.locate(0xa)).isNull();
    send(1, 0xb, 0xa, 0xC0DE);
    assertThat(heard.get(0)).isEmpty();
    assertThat(heard.get(2)).contains(0xbL);
  }
}
