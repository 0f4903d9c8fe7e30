package io.xmig.testbed.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import org.junit.jupiter.api.Test;

/** Lines as fping 5.1 wrote them, every 10 ms. */
class FpingLinesTest {
  private static final long SECOND = 1_796_047_016_000_000L;

  private final FpingLines lines = new FpingLines(SECOND, 10_000);

  private void answer(String time, int number, String rtt) {
    lines.line(
        "[17960470"
            + time
            + "] 10.77.0.2 : ["
            + number
            + "], 64 bytes, "
            + rtt
            + " ms (0.032 avg, 1% loss)");
  }

  @Test
  void aProbeWasSentItsRoundTripBeforeTheAnswer() {
    answer("16.00325", 0, "3.25");
    answer("16.01220", 1, "0.108");
    assertThat(lines.log(SECOND + 15_000).samples())
        .containsExactly(new Sample(SECOND, 3250), new Sample(SECOND + 12_092, 108));
  }

  @Test
  void aMissingNumberIsALostProbeWhateverElseFpingSays() {
    answer("16.00000", 0, "0.020");
    lines.line("[1796047016.02000] 10.77.0.2 : [1], timed out (0.032 avg, 33% loss)");
    lines.line("ICMP Host Unreachable from 10.77.0.1 for ICMP Echo sent to 10.77.0.2");
    lines.line("10.77.0.2: error while sending ping: No route to host");
    answer("16.03102", 3, "0.018");
    ProbeLog log = lines.log(SECOND + 35_000);
    assertThat(log.lost()).isEqualTo(2);
    assertThat(log.samples().stream().filter(s -> !s.answered()).map(Sample::sentUs))
        .containsExactly(SECOND + 9980, SECOND + 19_980);
    assertThat(log.outage(SECOND - 1, SECOND + 40_000).lengthUs())
        .as("31 ms of silence less the interval")
        .isBetween(21_000L, 21_100L);
  }

  @Test
  void answersThatWereHeldUpComeInAnyOrderAndTheFirstCounts() {
    answer("16.99999", 2, "980");
    answer("16.99999", 0, "999");
    answer("17.00001", 1, "990");
    answer("17.00002", 1, "991");
    ProbeLog log = lines.log(SECOND + 1_000_000 - 1);
    assertThat(log.samples().subList(0, 3)).allMatch(Sample::answered);
    assertThat(log.samples().get(1).sentUs()).isEqualTo(SECOND + 10_010);
    assertThat(log.samples().subList(3, log.samples().size()))
        .as("what was sent since then is not answered yet")
        .isNotEmpty()
        .noneMatch(Sample::answered);
  }

  @Test
  void withoutAnyAnswerEveryProbeIsLost() {
    lines.line("10.77.0.2 : xmt/rcv/%loss = 10/0/100%");
    ProbeLog log = lines.log(SECOND + 95_000);
    assertThat(log.answered()).isZero();
    assertThat(log.lost()).isEqualTo(10);
  }
}
