package io.xmig.adapt.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.signal.Receipt;
import io.xmig.xia.addr.Xid;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RepeatedSignsTest {
  private static final long MS = 1_000_000;
  private static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  private static final Xid GATEWAY = Xid.parse("HID:0000000000000000000000000000000000000001");
  private static final Xid HOST = Xid.parse("HID:0000000000000000000000000000000000000002");
  private static final Attachment PLACE = new Attachment(AD, GATEWAY, null, null, true, 1000);

  private int registrations;

  private final AgentMachine machine =
      new AgentMachine(
          AgentTiming.standard(),
          List.of(),
          new AgentActions() {
            @Override
            public void solicit() {}

            @Override
            public void configure(Attachment place, @Nullable Attachment former) {}

            @Override
            public long register(
                Attachment place, long stamp, boolean arrived, List<Xid> formerAds) {
              return ++registrations;
            }

            @Override
            public void registerName(String name, Attachment place) {}

            @Override
            public void exceedSequence(long known) {}
          });

  private void confirm(long nowNs) {
    machine.onReceipt(new Receipt(HOST, registrations, AD, 60, Map.of()), nowNs);
  }

  private void attach() {
    machine.start(0);
    machine.onBeacon(PLACE, 1, true, 10 * MS);
    confirm(12 * MS);
    assertThat(machine.state()).isEqualTo(AgentState.ATTACHED);
  }

  @Test
  void signsThatRepeatAConfirmedOneAreLookedIntoOnceWhenTheBurstIsOver() {
    attach();
    machine.onSign(MobilitySign.NOTIFY_PEERS, 5000 * MS);
    assertThat(registrations).isEqualTo(2);
    confirm(5005 * MS);

    machine.onSign(MobilitySign.NOTIFY_PEERS, 5050 * MS);
    machine.onArrival(PLACE, 2, false, 5200 * MS);
    machine.onSign(MobilitySign.NOTIFY_PEERS, 5800 * MS);
    assertThat(registrations).isEqualTo(2);

    assertThat(machine.nextDeadlineNs()).isEqualTo(6000 * MS);
    machine.onTime(6000 * MS);
    assertThat(registrations).isEqualTo(3);
  }

  @Test
  void signsBeforeTheGatewayHasConfirmedAreNotPassedOver() {
    attach();
    machine.onSign(MobilitySign.NOTIFY_PEERS, 5000 * MS);
    machine.onSign(MobilitySign.NOTIFY_PEERS, 5030 * MS);
    assertThat(registrations).isEqualTo(3);
  }

  @Test
  void theNextMoveIsNoRepetition() {
    attach();
    machine.onSign(MobilitySign.NOTIFY_PEERS, 5000 * MS);
    confirm(5005 * MS);
    machine.onSign(MobilitySign.NOTIFY_PEERS, 6001 * MS);
    assertThat(registrations).isEqualTo(3);
  }

  @Test
  void aBeaconPlayedBackLaterDoesNotMoveAMachineWhoseGatewayIsLost() {
    Attachment other =
        new Attachment(
            Xid.parse("AD:1000000000000000000000000000000000000001"),
            Xid.parse("HID:0000000000000000000000000000000000000003"),
            null,
            null,
            true,
            1000);
    attach();
    machine.onBeacon(other, 7, false, 100 * MS); // heard once, and recorded by somebody
    machine.onBeacon(PLACE, 2, true, 110 * MS); // the present gateway is there
    assertThat(machine.place()).isEqualTo(PLACE);
    machine.onTime(10_000 * MS);
    assertThat(machine.state()).isEqualTo(AgentState.SEARCHING);

    machine.onBeacon(other, 7, false, 10_100 * MS);
    assertThat(machine.place()).isEqualTo(PLACE);
    machine.onBeacon(other, 8, false, 10_200 * MS); // a new one
    assertThat(machine.place()).isEqualTo(other);
  }
}
