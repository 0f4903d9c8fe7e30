package io.xmig.testbed.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which unanswered probes are the attacker's doing. */
class SiegeTest {
  private static final long INTERVAL_US = 10_000;
  private static final int PROBES = 1000;
  private static final long END_US = PROBES * INTERVAL_US + 10_000_000;
  private static final Long LOST = null;

  /** Every probe is answered after a millisecond. */
  private final List<Long> answers = new ArrayList<>();

  SiegeTest() {
    for (int i = 0; i < PROBES; i++) {
      answers.add(i * INTERVAL_US + 1000);
    }
  }

  private long lost() {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < PROBES; i++) {
      Long at = answers.get(i);
      long sent = i * INTERVAL_US;
      samples.add(at == null ? new Sample(sent, Sample.LOST) : new Sample(sent, at - sent));
    }
    return Siege.lostInPeace(new ProbeLog(INTERVAL_US, samples), List.of(), END_US);
  }

  /** The VM answers the probes from here to there when it runs again. */
  private void standStill(int from, int to, int answerAt) {
    for (int i = from; i < to; i++) {
      answers.set(i, answerAt * INTERVAL_US + i);
    }
  }

  private void lose(int from, int to) {
    for (int i = from; i < to; i++) {
      answers.set(i, LOST);
    }
  }

  @Test
  void oneThatIsLostWhileTheVmAnswersCounts() {
    assertThat(lost()).isZero();
    lose(500, 503);
    assertThat(lost()).isEqualTo(3);
  }

  @Test
  void whatFindsTheQueueOfAStandingVmFullDoesNot() {
    standStill(400, 528, 600);
    lose(528, 600);
    assertThat(lost()).isZero();
  }

  @Test
  void theQueueMayHaveMovedALittleBefore() {
    standStill(400, 410, 540);
    standStill(410, 528, 600);
    lose(528, 540);
    standStill(540, 550, 600);
    lose(550, 600);
    assertThat(lost()).isZero();
  }

  @Test
  void whatIsLostBeforeTheQueueIsFullCounts() {
    standStill(400, 440, 600);
    lose(440, 600);
    assertThat(lost()).isEqualTo(160);
  }

  @Test
  void manyDelayedOnesAreNoExcuseWhileOthersAreAnswered() {
    for (int i = 300; i < 500; i += 2) { // somebody holds back every second one
      answers.set(i, 600 * INTERVAL_US);
    }
    lose(500, 510);
    assertThat(lost()).isEqualTo(10);
  }
}
