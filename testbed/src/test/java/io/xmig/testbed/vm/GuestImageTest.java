package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
  void whatOnlyTheVmMayKnowIsInItsOwnFileSystemAndInNoFileThatOthersCanRead(@TempDir Path directory)
      throws IOException {
    Path initrd = Files.writeString(directory.resolve("initrd"), "0707...");
    Path kernel = Files.writeString(directory.resolve("vmlinuz"), "kernel");
    GuestImage common = new GuestImage(kernel, initrd, null, "k");

    Path place = directory.resolve("own");
    GuestImage own =
        common.forVm(place, Map.of("XMIG_KEY", "MC4C=", "XMIG_TRUST", "AD:1=HID:2,AD:3=HID:4"));

    assertThat(own.kernel()).hasParent(place).hasContent("kernel");
    assertThat(own.initrd()).hasParent(place);
    assertThat(Files.readString(own.initrd(), StandardCharsets.US_ASCII))
        .startsWith("0707...0707010000000100008180") // a file, rw-------
        .contains("XMIG_KEY='MC4C='\nXMIG_TRUST='AD:1=HID:2,AD:3=HID:4'\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place)))
        .isEqualTo("rwx------");
    assertThatThrownBy(
            () -> common.forVm(directory.resolve("b"), Map.of("XMIG_NAME", "a'; reboot; '")))
        .hasMessageContaining("XMIG_NAME");
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
