package io.xmig.control.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class QemuCommandLineTest {
  private static final VmDirectory FILES = new VmDirectory(Path.of("/run/x"));

  private static VmSpec vm(VmSpec.Nic nic, Path disk) {
    return new VmSpec(
        "vm1", 640, Path.of("/k"), Path.of("/i"), "console=ttyS0", disk, disk == null ? 0 : 1, nic);
  }

  private static VmSpec.Nic sockets(int mtu) {
    return new VmSpec.Nic("52:54:00:12:34:56", mtu, Path.of("/a"), Path.of("/b"), null);
  }

  @Test
  void endsTheStreamWithTheByteThatStartsTheGuest() {
    assertThat(line(vm(sockets(0), null), false, false))
        .contains("-machine pc,suppress-vmdesc=on")
        .contains("-accel tcg,thread=multi -cpu Nehalem")
        .contains(
            "-netdev dgram,id=n0,local.type=unix,local.path=/a,remote.type=unix,remote.path=/b")
        .contains("virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56")
        .doesNotContain("-incoming", "-S", "-drive", "host_mtu");
  }

  @Test
  void aCardThatLeavesItToOthersDoesNotTellTheGuestThatItMoved() {
    assertThat(line(vm(sockets(0).withAnnouncing(false), null), true, true))
        .contains("mac=52:54:00:12:34:56,guest_announce=off");
    assertThat(line(vm(sockets(0), null), true, true)).doesNotContain("guest_announce");
  }

  @Test
  void givesATranslatedGuestAnOddAmountOfMemory() {
    assertThat(line(vm(sockets(0), null), false, false)).contains("-m 655368K ");
    assertThat((640L << 20) + 8192).matches(bytes -> bytes / 4096 % 64 != 0);
  }

  @Test
  void waitsPausedForAMigration() {
    assertThat(line(vm(sockets(9000), Path.of("/d")), true, true))
        .contains("-drive file=/d,if=none,id=d0,format=raw,cache=writeback")
        .contains("host_mtu=9000")
        .endsWith("-incoming defer -S");
  }

  @Test
  void keepsOffloadHeadersOutOfTheDeviceState() {
    VmSpec.Nic tap = new VmSpec.Nic("52:54:00:12:34:56", 0, null, null, "t0");

    assertThat(line(vm(tap, null), false, false))
        .contains("tap,id=n0,ifname=t0,script=no,downscript=no,vnet_hdr=off");
  }

  @Test
  void saysThatASocketPathIsTooLong() {
    VmDirectory deep = new VmDirectory(Path.of("/" + "x".repeat(110)));

    assertThatThrownBy(
            () ->
                QemuCommandLine.arguments(
                    vm(sockets(0), null), Accelerator.TCG, deep, false, false))
        .isInstanceOf(QemuException.class)
        .hasMessageContaining("shorter state directory");
  }

  @Test
  void refusesWhatQemuWouldMisread() {
    assertThatThrownBy(() -> vm(sockets(0), Path.of("/a,readonly=on")))
        .hasMessageContaining("commas");
    assertThatThrownBy(() -> new VmSpec.Nic("52:54", 0, Path.of("/a"), Path.of("/b"), null))
        .hasMessageContaining("MAC");
    assertThatThrownBy(
            () -> new VmSpec("../x", 640, Path.of("/k"), Path.of("/i"), "", null, 0, sockets(0)))
        .hasMessageContaining("VM name");
  }

  private static String line(VmSpec vm, boolean incoming, boolean paused) {
    List<String> words = QemuCommandLine.arguments(vm, Accelerator.TCG, FILES, incoming, paused);
    return String.join(" ", words);
  }
}
