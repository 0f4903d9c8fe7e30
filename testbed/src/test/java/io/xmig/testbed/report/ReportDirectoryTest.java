package io.xmig.testbed.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportDirectoryTest {
  @TempDir Path directory;

  @Test
  void itIsMadeWithWhatLeadsThere() throws IOException {
    Path report = directory.resolve("some/where");
    ReportDirectory.prepare(report, 1);
    assertThat(report).isDirectory();
  }

  @Test
  void tooLittleRoomIsSaidBeforeTheRun() {
    assertThatIOException()
        .isThrownBy(() -> ReportDirectory.prepare(directory, Long.MAX_VALUE))
        .withMessageContaining("KiB are free in " + directory)
        .withMessageContaining("make room or give --report another directory");
  }

  @Test
  void aFileInItsPlaceIsNamed() throws IOException {
    Path file = Files.createFile(directory.resolve("report"));
    assertThatIOException()
        .isThrownBy(() -> ReportDirectory.prepare(file, 1))
        .withMessageStartingWith("cannot make the directory " + file);
  }
}
