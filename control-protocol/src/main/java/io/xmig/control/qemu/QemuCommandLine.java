package io.xmig.control.qemu;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes QEMU's command line. */
final class QemuCommandLine {
  /** {@code sizeof(sun_path)} less the final NUL. */
  private static final int UNIX_PATH_LIMIT = 107;

  private QemuCommandLine() {}

  /**
   * The arguments after the program's name.
   *
   * @param incoming wait for a migration instead of booting
   * @param paused do not run the guest until told so
   */
  static List<String> arguments(
      VmSpec vm, Accelerator accelerator, VmDirectory files, boolean incoming, boolean paused) {
    List<String> line = new ArrayList<>();
    add(line, "-name", vm.name());
    switch (accelerator) {
      case KVM -> add(line, "-accel", "kvm", "-cpu", "host");
      // Nehalem boots a translated guest fastest and is the same wherever QEMU's version is
      case TCG -> add(line, "-accel", "tcg,thread=multi", "-cpu", "Nehalem");
    }
    // without the description the byte that starts the guest is the last one of the stream
    add(line, "-machine", "pc,suppress-vmdesc=on");
    add(line, "-m", memory(vm.memoryMib(), accelerator));
    add(line, "-nodefaults", "-no-user-config", "-display", "none");
    // with panic=-1 in the guest: a crash ends the process instead of leaving a dead guest
    add(line, "-no-reboot");
    add(line, "-kernel", vm.kernel().toString(), "-initrd", vm.initrd().toString());
    add(line, "-append", vm.append());
    add(
        line,
        "-chardev",
        "socket,id=s0,path="
            + socket(files.serialSocket())
            + ",server=on,wait=off,logfile="
            + files.serialLog()
            + ",logappend=on");
    add(line, "-serial", "chardev:s0");
    add(line, "-qmp", "unix:" + socket(files.qmpSocket()) + ",server=on,wait=off");
    add(line, "-qmp", "unix:" + socket(files.watchSocket()) + ",server=on,wait=off");
    add(line, "-pidfile", files.pidFile().toString());
    if (vm.disk() != null) {
      add(line, "-drive", "file=" + vm.disk() + ",if=none,id=d0,format=raw,cache=writeback");
      add(line, "-device", "virtio-blk-pci,drive=d0");
    }
    VmSpec.Nic nic = vm.nic();
    if (nic != null) {
      if (nic.tap() != null) {
        // vnet_hdr is part of the device state: with it a guest could not move off a TAP device
        add(
            line,
            "-netdev",
            "tap,id=n0,ifname=" + nic.tap() + ",script=no,downscript=no,vnet_hdr=off");
      } else {
        add(
            line,
            "-netdev",
            "dgram,id=n0,local.type=unix,local.path="
                + socket(java.util.Objects.requireNonNull(nic.local()))
                + ",remote.type=unix,remote.path="
                + socket(java.util.Objects.requireNonNull(nic.remote())));
      }
      String mtu = nic.hostMtu() == 0 ? "" : ",host_mtu=" + nic.hostMtu();
      // QEMU's own RARP tells the network in any case
      String announce = nic.announcing() ? "" : ",guest_announce=off";
      add(line, "-device", "virtio-net-pci,netdev=n0,mac=" + nic.mac() + mtu + announce);
    }
    if (incoming) {
      add(line, "-incoming", "defer");
    }
    if (paused) {
      add(line, "-S");
    }
    return line;
  }

  /**
   * Guest memory for {@code -m}. A translating QEMU before 9.0 loses writes while it migrates: when
   * it collects the dirty pages of a block whose length is a multiple of 64 pages it forgets to
   * make the processor's TLB report the next write again, and the guest comes up with stale pages.
   * Blocks of other lengths take a slower way that is right, so two pages more avoid it. Source and
   * destination agree since they must have the same accelerator anyway.
   *
   * @source QEMU commit "physmem: Fix migration dirty bitmap coherency with TCG memory access"
   */
  private static String memory(int mib, Accelerator accelerator) {
    return accelerator == Accelerator.TCG ? (mib * 1024L + 8) + "K" : mib + "M";
  }

  private static void add(List<String> line, String... words) {
    line.addAll(List.of(words));
  }

  private static String socket(Path path) {
    String text = path.toString();
    if (text.getBytes(StandardCharsets.UTF_8).length > UNIX_PATH_LIMIT) {
      throw new QemuException(
          QemuException.Kind.START_FAILED,
          "path of a Unix-domain socket too long; use a shorter state directory",
          Map.of("path", text, "limit", UNIX_PATH_LIMIT));
    }
    if (text.indexOf(',') >= 0) {
      throw new QemuException(
          QemuException.Kind.START_FAILED,
          "no commas in paths for QEMU, please",
          Map.of("path", text));
    }
    return text;
  }
}
