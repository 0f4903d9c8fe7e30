package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.control.host.HandoffAction.Arm;
import io.xmig.control.host.HandoffAction.Continue;
import io.xmig.control.host.HandoffAction.EndQemu;
import io.xmig.control.host.HandoffAction.Forget;
import io.xmig.control.host.HandoffAction.Journal;
import io.xmig.control.host.HandoffAction.Send;
import io.xmig.control.host.HandoffRecord.Phase;
import io.xmig.control.host.HandoffRecord.Role;
import io.xmig.control.host.v1.Commit;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.Prepare;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a service does with the hand-offs that it, or its peer, left behind. */
class HandoffRecoveryTest {
  private static HandoffRecord record(Role role, Phase phase) {
    return new HandoffRecord("h", role, phase, "vm", "peer");
  }

  private static List<HandoffAction> resume(Phase phase, SourceHandoff.Found found) {
    HandoffRecord record = record(Role.SOURCE, phase);
    return SourceHandoff.recover(record).resume(record, found);
  }

  private static HandoffMessage commit() {
    return HandoffMessage.newBuilder().setCommit(Commit.getDefaultInstance()).build();
  }

  private static DestinationHandoff receiving() {
    DestinationHandoff handoff = DestinationHandoff.create("h");
    handoff.begin(Prepare.getDefaultInstance());
    handoff.on(new HandoffEvent.Waiting("there"));
    return handoff;
  }

  @Test
  void aSettledHandoffNeverTouchesAGuestThatMayHaveMovedOnSince() {
    // another hand-off of the same VM may have stopped this guest for good
    assertThat(resume(Phase.STAYED, SourceHandoff.Found.SENT))
        .noneMatch(action -> action instanceof Continue);
    HandoffRecord ran = record(Role.DESTINATION, Phase.RUNNING);
    assertThat(DestinationHandoff.recover(ran).resume(ran, DestinationHandoff.Found.LOADED))
        .noneMatch(action -> action instanceof Continue);
  }

  @Test
  void aSourceIsSettledOnlyOnceTheGuestIsKnownToRun() {
    HandoffRecord record = record(Role.SOURCE, Phase.TRANSFERRING);
    SourceHandoff handoff = SourceHandoff.recover(record);
    handoff.resume(record, SourceHandoff.Found.RUNNING);
    assertThat(handoff.isDecided()).isFalse();

    assertThat(handoff.on(new HandoffEvent.Continued())).contains(new Journal(Phase.STAYED));

    assertThat(handoff.isDecided()).isTrue();
    assertThat(handoff.isOver()).as("the destination must still hear of it").isFalse();
    assertThat(handoff.on(new HandoffEvent.LinkUp())).hasAtLeastOneElementOfType(Send.class);
    assertThat(handoff.on(new HandoffEvent.TimedOut())).contains(new Forget());
    assertThat(handoff.isOver()).isTrue();
  }

  @Test
  void aSourceWhoseLinkIsUpAlreadyTellsTheDestinationAtOnce() {
    HandoffRecord record = record(Role.SOURCE, Phase.TRANSFERRING);
    SourceHandoff handoff = SourceHandoff.recover(record);
    handoff.on(new HandoffEvent.LinkUp());

    assertThat(handoff.resume(record, SourceHandoff.Found.SENDING))
        .filteredOn(action -> action instanceof Send send && send.message().hasAbort())
        .hasSize(1);
  }

  @Test
  void aDestinationGivesUpSoonWhenTheSourcesServiceIsGone() {
    assertThat(receiving().on(new HandoffEvent.LinkDown(true)))
        .containsExactly(new Arm(DestinationHandoff.GONE_LIMIT));
    assertThat(receiving().on(new HandoffEvent.LinkDown(false)))
        .containsExactly(new Arm(DestinationHandoff.LOST_LIMIT));

    DestinationHandoff handoff = receiving();
    handoff.on(new HandoffEvent.LinkDown(true));
    assertThat(handoff.on(new HandoffEvent.LinkUp()))
        .contains(new Arm(DestinationHandoff.SILENCE_LIMIT));
    handoff.on(new HandoffEvent.LinkDown(true));
    assertThat(handoff.on(new HandoffEvent.TimedOut()))
        .hasAtLeastOneElementOfType(EndQemu.class)
        .contains(new Forget());
  }

  @Test
  void aDestinationWithThePermissionDoesNotGiveUpBecauseTheSourcesServiceIsGone() {
    DestinationHandoff handoff = receiving();
    handoff.on(new HandoffEvent.Received(commit()));

    assertThat(handoff.on(new HandoffEvent.LinkDown(true)))
        .containsExactly(new Arm(DestinationHandoff.SILENCE_LIMIT));
    assertThat(handoff.on(new HandoffEvent.Loaded())).contains(new Continue());
  }
}
