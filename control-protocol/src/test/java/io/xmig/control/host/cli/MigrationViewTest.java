package io.xmig.control.host.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.Progress;
import io.xmig.control.host.v1.Result;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class MigrationViewTest {
  private static final Progress HALF =
      Progress.newBuilder()
          .setPhase("active")
          .setPasses(1)
          .setTransferredBytes(300L << 20)
          .setRemainingBytes(320L << 20)
          .setTotalBytes(640L << 20)
          .setBytesPerSecond(100 << 20)
          .setDirtyPagesPerSecond(250)
          .setExpectedDowntimeMs(40)
          .setEtaMs(3200)
          .build();

  @Test
  void tellsPhaseBytesRateAndWhatIsLeft() {
    assertThat(MigrationView.text(HALF))
        .isEqualTo(
            "active   pass 1 [##########..........]  50%  300.0 MiB sent, 100.0 MiB/s,"
                + " 81920 dirty pages left (250/s), downtime ~40 ms, 3.2 s to go");
  }

  @Test
  void printsPlainLinesWhereThereIsNoTerminal() {
    StringWriter text = new StringWriter();
    MigrationView view = MigrationView.lines(new PrintWriter(text));

    view.show(event(0, "migrate").build());
    view.show(event(100, "progress").setProgress(HALF).build());
    view.show(event(200, "progress").setProgress(HALF).build());
    view.show(event(1200, "progress").setProgress(HALF).build());
    view.show(
        event(2000, "moved")
            .setResult(
                Result.newBuilder()
                    .setOutcome(Result.Outcome.OUTCOME_MOVED)
                    .setTotalMs(1900)
                    .setQemuDowntimeMs(31)
                    .setDowntimeLimitMs(55)
                    .setRamBytes(650L << 20)
                    .setPasses(3))
            .build());
    view.close();

    assertThat(text.toString().lines()).hasSize(4).first().isEqualTo("   0.000  migrate");
    assertThat(text.toString())
        .endsWith(
            "moved: 1.90 s, QEMU's downtime 31 ms (limit 55 ms), 650.0 MiB of memory in 3 passes\n");
  }

  @Test
  void jsonHasTheFieldsOfTheProtocol() {
    assertThat(MigrationView.json(event(5, "progress").setProgress(HALF).build()).toString())
        .contains("\"name\":\"progress\"", "\"remainingBytes\":335544320", "\"phase\":\"active\"");
  }

  private static HostEvent.Builder event(long ms, String name) {
    return HostEvent.newBuilder().setTimeMicros(1_000_000 + ms * 1000).setName(name);
  }
}
