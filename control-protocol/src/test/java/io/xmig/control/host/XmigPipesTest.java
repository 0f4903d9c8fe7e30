package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.control.pipe.LastProgress;
import io.xmig.control.qemu.MigrationSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class XmigPipesTest {
  @TempDir Path directory;

  private final XmigPipes pipes = new XmigPipes(List.of("xmig"), List.of(), sid -> "RE " + sid);

  @Test
  void theSenderIsToldTheTargetAndWhatIsFixed() {
    assertThat(pipes.sender(directory, "m", "RE x", MigrationSettings.usual(false)).uri())
        .contains("'--outage-target' '150ms' '--downtime-limit' '0ms'");
    MigrationSettings fixed = new MigrationSettings(false, 400, 70, 0);
    assertThat(pipes.sender(directory, "m", "RE x", fixed).uri())
        .contains("'--outage-target' '400ms' '--downtime-limit' '70ms'");
  }

  @Test
  void whatASenderMeasuresIsInItsStatusLines() throws IOException {
    assertThat(pipes.progress(directory, "m")).isEmpty();
    Files.writeString(
        directory.resolve("send-m.jsonl"),
        "{\"event\":\"progress\",\"bytesPerSecond\":12500000,\"downtimeLimitMs\":84}\n");
    assertThat(pipes.progress(directory, "m")).hasValue(new LastProgress(12_500_000, 84));
    assertThat(pipes.progress(directory, "other")).isEmpty();
  }
}
