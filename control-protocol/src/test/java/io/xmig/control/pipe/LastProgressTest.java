package io.xmig.control.pipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LastProgressTest {
  @TempDir Path directory;

  private static Progress progress(double rate, long limitMs) {
    return new Progress(
        "streaming", 9, 8, 7, 6, 5, rate, 4, 3, 2, limitMs * 1_000_000, 65_536, 0, 0);
  }

  @Test
  void isThatOfTheStatusLinesWhateverComesAfterIt() throws IOException {
    Path file = directory.resolve("send.jsonl");
    assertThat(LastProgress.read(file)).isEmpty();
    try (StatusLines lines = StatusLines.open(file.toString())) {
      lines.event("connecting", Map.of());
      for (int i = 1; i <= 100; i++) {
        lines.progress(progress(i * 1000, i));
      }
      lines.event("lost", Map.of("reason", "x".repeat(1000)));
      await().until(() -> Files.readString(file).contains("lost"));
    }
    assertThat(LastProgress.read(file)).hasValue(new LastProgress(100_000, 100));
  }

  @Test
  void aLineThatIsBeingWrittenIsNotReadYet() throws IOException {
    Path file = directory.resolve("half");
    String line = "{\"event\":\"progress\",\"bytesPerSecond\":5,\"downtimeLimitMs\":6}\n";
    Files.writeString(file, line + line.replace("5", "7").substring(0, 40));
    assertThat(LastProgress.read(file)).hasValue(new LastProgress(5, 6));
    Files.writeString(file, "connecting");
    assertThat(LastProgress.read(file)).isEmpty();
    Files.writeString(file, "x".repeat(9000) + "\n");
    assertThat(LastProgress.read(file)).isEmpty();
  }
}
