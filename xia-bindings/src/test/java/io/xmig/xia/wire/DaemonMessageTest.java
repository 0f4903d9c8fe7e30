package io.xmig.xia.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DaemonMessageTest {
  private static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  private static final Xid HID = Xid.parse("HID:1100000000000000000000000000000000000000");

  @Test
  void extensionsOfABeaconSurvive() {
    XhcpBeacon beacon =
        new XhcpBeacon(-1, AD, HID, Xid.NULL_4ID, "RE SID", Map.of(0x41, "key", 0x40, "signature"));
    XhcpBeacon read = XhcpBeacon.decode(ByteBuffer.wrap(beacon.encode()));
    assertThat(read).isEqualTo(beacon);
    assertThat(read.sequence()).isEqualTo(-1);
  }

  @Test
  void extensionsOfARegistrationSurvive() {
    RoutingMessage register = new RoutingMessage.HostRegister(HID, List.of("7", "signature"));
    assertThat(RoutingMessage.decode(ByteBuffer.wrap(register.encode()))).isEqualTo(register);
    NameServiceMessage name =
        new NameServiceMessage(
            NameServiceMessage.Type.REGISTER, "größe.xia", "DAG …", List.of("7", "signature"));
    assertThat(NameServiceMessage.decode(ByteBuffer.wrap(name.encode()))).isEqualTo(name);
  }

  @Test
  void anLsaMayHaveNoNeighbours() {
    RoutingMessage lsa = new RoutingMessage.Lsa(1, AD, HID, 99_999, List.of());
    assertThat(RoutingMessage.decode(ByteBuffer.wrap(lsa.encode()))).isEqualTo(lsa);
  }

  @Test
  void entriesOfABeaconMayComeInAnyOrderButNoneMayLack() {
    byte[] bytes = new XhcpBeacon(5, AD, HID, Xid.NULL_4ID, "RE").encode();
    byte[] shuffled = bytes.clone(); // the entry of the AD goes to the end
    int adEntry = 2 + 43 + 1;
    System.arraycopy(bytes, 6 + adEntry, shuffled, 6, bytes.length - 6 - adEntry);
    System.arraycopy(bytes, 6, shuffled, bytes.length - adEntry, adEntry);
    assertThat(XhcpBeacon.decode(ByteBuffer.wrap(shuffled)).ad()).isEqualTo(AD);
    bytes[6] = 9; // the AD becomes something unknown
    assertThatThrownBy(() -> XhcpBeacon.decode(ByteBuffer.wrap(bytes)))
        .isInstanceOf(MalformedPacketException.class)
        .hasMessageContaining("without all four entries");
  }

  @Test
  void whatDoesNotFitIsNotEncoded() {
    assertThatThrownBy(() -> new XhcpBeacon(0, AD, HID, Xid.NULL_4ID, "x".repeat(1024)).encode())
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> NameServiceMessage.query("x".repeat(4096)).encode())
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> NameServiceMessage.query("a\0b").encode())
        .isInstanceOf(IllegalArgumentException.class);
  }
}
