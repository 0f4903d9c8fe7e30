package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DagCacheTest {
  private static final int OFFSET = 8;
  private final DagCache cache = new DagCache();

  private static Dag address(int domain, int host) {
    return Dag.path(
        Xid.parse("AD:" + String.format("%040x", domain)),
        Xid.parse("HID:" + String.format("%040x", host)));
  }

  private static ByteBuffer packetTo(Dag address) {
    return ByteBuffer.allocateDirect(OFFSET + address.wireBytes().length + 8)
        .put(OFFSET, address.wireBytes());
  }

  private Dag read(ByteBuffer packet, Dag wanted) {
    return cache.read(packet, OFFSET, wanted.size());
  }

  @Test
  void decodesAnAddressOnceAlsoWithOtherEdgesVisited() {
    Dag address = address(1, 2);
    ByteBuffer packet = packetTo(address);
    Dag first = read(packet, address);
    assertThat(first).isEqualTo(address);
    int edge = OFFSET + Xid.LENGTH;
    packet.put(edge, (byte) (packet.get(edge) | 0x80)); // a router has been there
    assertThat(read(packet, address)).isSameAs(first);
  }

  @Test
  void tellsAddressesApartThatDifferInOneBitAnywhere() {
    Dag address = address(0x1234, 0x5678);
    read(packetTo(address), address);
    for (int bit = 0; bit < address.wireBytes().length * Byte.SIZE; bit++) {
      boolean isVisited =
          bit / Byte.SIZE % Dag.NODE_LENGTH >= Xid.LENGTH && bit % Byte.SIZE == Byte.SIZE - 1;
      ByteBuffer packet = packetTo(address);
      int at = OFFSET + bit / Byte.SIZE;
      packet.put(at, (byte) (packet.get(at) ^ 1 << bit % Byte.SIZE));
      Dag decoded = read(packet, address);
      if (isVisited) {
        assertThat(decoded).as("bit %d", bit).isEqualTo(address);
      } else {
        assertThat(decoded).as("bit %d", bit).isNotEqualTo(address);
      }
    }
  }

  @Test
  void addressesThatShareASlotAreAllDecodedRightly() {
    Random random = new Random(1);
    for (int i = 0; i < 5_000; i++) { // many times the slots there are
      Dag address = address(random.nextInt(40), random.nextInt(40));
      assertThat(read(packetTo(address), address)).isEqualTo(address);
    }
  }
}
