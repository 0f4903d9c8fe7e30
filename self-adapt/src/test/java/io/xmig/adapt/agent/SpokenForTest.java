package io.xmig.adapt.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.signal.Receipt;
import io.xmig.xia.addr.Xid;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An agent leaves the first word after a move to the host that says it speaks for the machine. */
class SpokenForTest {
  private static final long MS = 1_000_000;
  private static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  private static final Xid OTHER_AD = Xid.parse("AD:2000000000000000000000000000000000000000");
  private static final Xid GATEWAY = Xid.parse("HID:0000000000000000000000000000000000000001");
  private static final Xid OTHER = Xid.parse("HID:0000000000000000000000000000000000000003");
  private static final Xid HOST = Xid.parse("HID:0000000000000000000000000000000000000002");
  private static final Attachment PLACE = new Attachment(AD, GATEWAY, null, null, true, 1000);
  private static final Attachment ELSEWHERE =
      new Attachment(OTHER_AD, OTHER, null, null, true, 1000);

  private final List<String> done = new ArrayList<>();
  private int registrations;

  private final AgentMachine machine =
      new AgentMachine(
          AgentTiming.standard(),
          List.of("vm.xia"),
          new AgentActions() {
            @Override
            public void solicit() {
              done.add("solicit");
            }

            @Override
            public void configure(Attachment place, @Nullable Attachment former) {
              done.add("configure " + place.ad());
            }

            @Override
            public long register(
                Attachment place, long stamp, boolean arrived, List<Xid> formerAds) {
              done.add("register " + place.ad());
              return ++registrations;
            }

            @Override
            public void registerName(String name, Attachment place) {
              done.add("name " + place.ad());
            }

            @Override
            public void exceedSequence(long known) {}
          });

  private void attach() {
    machine.start(0);
    machine.onBeacon(PLACE, 1, true, 10 * MS);
    machine.onReceipt(new Receipt(HOST, registrations, AD, 60, Map.of()), 12 * MS);
    machine.onNamed("vm.xia", 13 * MS);
    done.clear();
  }

  /** Lets time pass as a loop would, in steps of its deadlines. */
  private void pass(long fromMs, long toMs) {
    for (long at = machine.nextDeadlineNs(); at <= toMs * MS; at = machine.nextDeadlineNs()) {
      machine.onTime(Math.max(at, fromMs * MS));
    }
  }

  @Test
  void doesNothingForASecondThenLooksAndRegistersOnceWhereItAlwaysWas() {
    attach();
    machine.onSpokenFor(5000 * MS);
    machine.onSign(MobilitySign.NOTIFY_PEERS, 5020 * MS);
    machine.onSign(MobilitySign.NOTIFY_PEERS, 5200 * MS);
    pass(5000, 5999);
    assertThat(machine.yields(5999 * MS)).isTrue();
    assertThat(done).isEmpty();

    pass(6000, 6000);
    assertThat(done).containsExactly("solicit");
    machine.onBeacon(PLACE, 6001, true, 6003 * MS);
    assertThat(done).containsExactly("solicit", "register " + AD);
    machine.onReceipt(new Receipt(HOST, registrations, AD, 60, Map.of()), 6005 * MS);
    assertThat(machine.state()).isEqualTo(AgentState.ATTACHED);
    assertThat(machine.waitingFor()).isEqualTo("nothing");
  }

  @Test
  void adaptsByItselfWhenTheSecondIsOver() {
    attach();
    machine.onSpokenFor(5000 * MS);
    pass(5000, 6000);
    machine.onBeacon(ELSEWHERE, 6001, true, 6003 * MS);
    assertThat(done)
        .containsExactly(
            "solicit", "configure " + OTHER_AD, "register " + OTHER_AD, "name " + OTHER_AD);
    assertThat(machine.formerAds()).containsExactly(AD);
    assertThat(machine.lastHandoff().cause()).isEqualTo("foreign beacon after a sign");
  }

  @Test
  void isKeptWaitingByNobodyForMoreThanTheSecond() {
    attach();
    machine.onSpokenFor(5000 * MS);
    for (long at = 5000; at < 6000; at += 10) {
      machine.onSpokenFor(at * MS); // whoever that is
    }
    pass(5000, 6000);
    assertThat(machine.yields(6001 * MS)).isFalse();
    machine.onSpokenFor(6001 * MS);
    assertThat(machine.yields(6002 * MS)).as("again at once").isFalse();
    machine.onSign(MobilitySign.NOTIFY_PEERS, 7100 * MS);
    assertThat(done).contains("register " + AD);
    machine.onSpokenFor(9000 * MS);
    assertThat(machine.yields(9001 * MS)).as("at the next move").isTrue();
  }

  @Test
  void nobodySpeaksForAMachineThatHasNeverBeenAnywhere() {
    machine.start(0);
    machine.onSpokenFor(5 * MS);
    assertThat(machine.yields(6 * MS)).isFalse();
    machine.onBeacon(PLACE, 1, true, 10 * MS);
    assertThat(done).contains("register " + AD);
  }
}
