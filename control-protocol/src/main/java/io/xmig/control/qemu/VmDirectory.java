package io.xmig.control.qemu;

import java.nio.file.Path;

/**
 * Where the files of one VM are.
 *
 * @param path the VM's own directory
 */
public record VmDirectory(Path path) {
  public VmDirectory {
    path = path.toAbsolutePath().normalize();
  }

  /** QEMU's control socket. */
  public Path qmpSocket() {
    return path.resolve("qmp");
  }

  /** A second control socket, for whoever only wants to hear QEMU's events. */
  public Path watchSocket() {
    return path.resolve("qmp-watch");
  }

  /** Where its network card sends from, unless it is told otherwise. */
  public Path nicSocket() {
    return path.resolve("nic");
  }

  /** The guest's serial console; a shell of the guest listens there. */
  public Path serialSocket() {
    return path.resolve("serial");
  }

  /** Everything the guest wrote to its serial console. */
  public Path serialLog() {
    return path.resolve("serial.log");
  }

  /** What QEMU and its pipes wrote to stderr. */
  public Path qemuLog() {
    return path.resolve("qemu.log");
  }

  /** Written by QEMU. */
  public Path pidFile() {
    return path.resolve("qemu.pid");
  }

  /** Written by us: process id and start time, so that a recycled id is not mistaken for QEMU. */
  public Path identityFile() {
    return path.resolve("qemu.identity");
  }

  /** The disk, if it is this host's own copy. */
  public Path disk() {
    return path.resolve("disk.raw");
  }
}
