package io.xmig.control.qemu;

import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A virtual machine as QEMU is told about it. What decides the device state (processor, machine,
 * memory, disk size, MAC, host MTU) must be equal on source and destination; paths need not be.
 *
 * @param name letters, digits, {@code . _ -}; also names the directory and sockets
 * @param memoryMib guest memory
 * @param kernel for direct boot
 * @param initrd for direct boot
 * @param append kernel arguments
 * @param disk raw image, or {@code null} for none
 * @param diskBytes size of the disk, which a destination needs to make its own; 0 for none
 * @param nic network interface, or {@code null} for none
 */
public record VmSpec(
    String name,
    int memoryMib,
    Path kernel,
    Path initrd,
    String append,
    @Nullable Path disk,
    long diskBytes,
    @Nullable Nic nic) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,40}");
  private static final Pattern MAC = Pattern.compile("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}");
  private static final int LEAST_MEMORY_MIB = 64;
  private static final int MOST_MEMORY_MIB = 1 << 20;
  private static final long MOST_DISK_BYTES = 1L << 44;
  private static final int MOST_APPEND = 2047;

  public VmSpec {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "VM name must be letters, digits, '.', '_' and '-', at most 41: '" + name + "'");
    }
    if (memoryMib < LEAST_MEMORY_MIB || memoryMib > MOST_MEMORY_MIB) {
      throw new IllegalArgumentException("VM memory out of range: " + memoryMib + " MiB");
    }
    if (diskBytes < 0 || diskBytes > MOST_DISK_BYTES) {
      throw new IllegalArgumentException("VM disk size out of range: " + diskBytes);
    }
    if (append.length() > MOST_APPEND || append.indexOf('\n') >= 0) {
      throw new IllegalArgumentException("kernel arguments too long or with a line end");
    }
    for (Path path : new Path[] {kernel, initrd, disk}) {
      // QEMU splits option values at commas
      if (path != null && path.toString().indexOf(',') >= 0) {
        throw new IllegalArgumentException("no commas in paths for QEMU, please: " + path);
      }
    }
  }

  /**
   * How the guest's network card is attached: to a pair of Unix-domain datagram sockets, one frame
   * per datagram, or to a TAP device.
   *
   * @param mac the guest's hardware address
   * @param hostMtu MTU offered to the guest, 0 for the guest's default of 1500
   * @param local QEMU's own datagram socket
   * @param remote where it sends the guest's frames; need not exist yet
   * @param tap TAP device instead of the sockets
   * @param announcing whether the card tells the guest that it has moved (the kernel's
   *     NOTIFY_PEERS); part of the device state
   */
  public record Nic(
      String mac,
      int hostMtu,
      @Nullable Path local,
      @Nullable Path remote,
      @Nullable String tap,
      boolean announcing) {
    /** A card that tells the guest that it has moved. */
    public Nic(
        String mac,
        int hostMtu,
        @Nullable Path local,
        @Nullable Path remote,
        @Nullable String tap) {
      this(mac, hostMtu, local, remote, tap, true);
    }

    public Nic {
      if (!MAC.matcher(mac).matches()) {
        throw new IllegalArgumentException("not a MAC address: '" + mac + "'");
      }
      if (hostMtu != 0 && (hostMtu < 576 || hostMtu > 65535)) {
        throw new IllegalArgumentException("MTU out of range: " + hostMtu);
      }
      if (tap == null && (local == null || remote == null)) {
        throw new IllegalArgumentException("a NIC needs two sockets or a TAP device");
      }
      if (tap != null && !tap.matches("[A-Za-z0-9._-]{1,15}")) {
        throw new IllegalArgumentException("not a name of a TAP device: '" + tap + "'");
      }
    }

    /** The same card, which tells the guest that it has moved or leaves that to others. */
    public Nic withAnnouncing(boolean whether) {
      return new Nic(mac, hostMtu, local, remote, tap, whether);
    }
  }

  /** The same machine with other paths, as the other host of a migration has it. */
  public VmSpec at(Path newKernel, Path newInitrd, @Nullable Path newDisk, @Nullable Nic newNic) {
    return new VmSpec(name, memoryMib, newKernel, newInitrd, append, newDisk, diskBytes, newNic);
  }
}
