package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GuestImageTest {
  private final GuestImage inMemory =
      new GuestImage(Path.of("vmlinuz"), Path.of("initrd"), null, "k");
  private final GuestImage onDisk =
      new GuestImage(Path.of("vmlinuz"), Path.of("initrd"), Path.of("disk.raw"), "k");

  @Test
  void quotesWordsWithSpaces() {
    assertThat(inMemory.commandLine(Map.of("MTU", "9000"), "/xmig/guest ballast=280"))
        .startsWith("console=ttyS0 ")
        .endsWith(" MTU=9000 \"RUN=/xmig/guest ballast=280\"")
        .doesNotContain("ROOT=");
  }

  @Test
  void rootsAGuestWithADiskOnThatDisk() {
    assertThat(onDisk.commandLine(Map.of(), "")).endsWith(" ROOT=vda");
  }

  @Test
  void refusesWhatAKernelCommandLineCannotCarry() {
    assertThatThrownBy(() -> inMemory.commandLine(Map.of(), "echo \"hi\""))
        .hasMessageContaining("double quotes");
    assertThatThrownBy(() -> inMemory.commandLine(Map.of(), "x".repeat(2048)))
        .hasMessageContaining("at most 2047");
    assertThatThrownBy(() -> inMemory.commandLine(Map.of("a b", "1"), ""))
        .hasMessageContaining("a b");
  }
}
