package io.xmig.testbed.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProbeLogTest {
  private static final long INTERVAL_US = 10_000;

  private static ProbeLog log(int probes, int firstLost, int lost, long rttUs) {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < probes; i++) {
      boolean gone = i >= firstLost && i < firstLost + lost;
      samples.add(new Sample(i * INTERVAL_US, gone ? Sample.LOST : rttUs));
    }
    return new ProbeLog(INTERVAL_US, samples);
  }

  @Test
  void lostProbesMakeAnOutageOfTheirNumberTimesTheInterval() {
    ProbeLog.Outage outage = log(100, 40, 5, 300).outage(0, 1_000_000);

    assertThat(outage.lengthUs()).isEqualTo(5 * INTERVAL_US);
    assertThat(outage.errorUs()).isEqualTo(INTERVAL_US);
    assertThat(outage.lost()).isEqualTo(5);
    assertThat(outage.startUs()).isEqualTo(39 * INTERVAL_US + 300);
  }

  @Test
  void answersAtEveryIntervalAreNoOutage() {
    assertThat(log(100, 0, 0, 300).outage(0, 1_000_000).lengthUs()).isZero();
  }

  @Test
  void aProbeAnsweredLateCountsAlthoughNothingWasLost() {
    List<Sample> samples = new ArrayList<>(log(50, 0, 0, 300).samples());
    for (int i = 20; i < 30; i++) {
      samples.set(i, new Sample(i * INTERVAL_US, 30 * INTERVAL_US - i * INTERVAL_US));
    }

    ProbeLog.Outage outage = new ProbeLog(INTERVAL_US, samples).outage(0, 1_000_000);

    assertThat(outage.lost()).isZero();
    assertThat(outage.lengthUs()).isBetween(9 * INTERVAL_US, 11 * INTERVAL_US);
  }

  @Test
  void onlyAnswersInsideTheWindowCount() {
    assertThat(log(100, 10, 20, 300).outage(500_000, 900_000).lengthUs()).isZero();
  }

  @Test
  void noAnswersAtAllAreAnOutageOfTheWholeWindow() {
    assertThat(log(100, 0, 100, 0).outage(0, 1_000_000).lengthUs()).isEqualTo(980_000);
  }

  @Test
  void aProbeThatWaitedForTheMachineIsNoAnswerBefore() {
    ProbeLog log = new ProbeLog(INTERVAL_US, List.of(new Sample(100, 500_000)));

    assertThat(log.isAnsweredBetween(0, 400_000)).isFalse();
    assertThat(log.isAnsweredBetween(0, 600_000)).isTrue();
    assertThat(log.isAnsweredBetween(550_000, 600_000)).isFalse();
  }

  @Test
  void severalProbersAreOneOfTheShortestRhythm() {
    ProbeLog coarse =
        new ProbeLog(100_000, List.of(new Sample(0, 300), new Sample(100_000, Sample.LOST)));

    ProbeLog both = ProbeLog.merged(List.of(coarse, log(5, 0, 0, 300)));

    assertThat(both.intervalUs()).isEqualTo(INTERVAL_US);
    assertThat(both.samples())
        .hasSize(7)
        .isSortedAccordingTo(Comparator.comparingLong(Sample::sentUs));
    assertThat(both.answered()).isEqualTo(6);
  }

  @Test
  void silenceUpToTheEndIsAnOutage() {
    assertThat(log(100, 40, 60, 300).outage(0, 1_000_000).lengthUs())
        .isBetween(58 * INTERVAL_US, 60 * INTERVAL_US);
  }

  @Test
  void aSilenceOfAnotherCauseBesideTheHandOffIsNotItsOutage() {
    List<Sample> samples = new ArrayList<>(log(200, 40, 5, 300).samples());
    for (int i = 100; i < 120; i++) {
      samples.set(i, new Sample(i * INTERVAL_US, Sample.LOST));
    }
    ProbeLog log = new ProbeLog(INTERVAL_US, samples);

    ProbeLog.Outage outage =
        log.outageAcross(41 * INTERVAL_US, 43 * INTERVAL_US, 150 * INTERVAL_US);

    assertThat(outage.startUs()).isEqualTo(39 * INTERVAL_US + 300);
    assertThat(outage.lengthUs()).isEqualTo(5 * INTERVAL_US);
    assertThat(log.outage(0, 4_000_000).lengthUs()).isEqualTo(20 * INTERVAL_US);
  }

  @Test
  void theOutageMayGoOnAfterTheMachineRuns() {
    ProbeLog.Outage outage =
        log(200, 40, 20, 300).outageAcross(42 * INTERVAL_US, 45 * INTERVAL_US, 2_000_000);

    assertThat(outage.lengthUs()).isEqualTo(20 * INTERVAL_US);
  }
}
