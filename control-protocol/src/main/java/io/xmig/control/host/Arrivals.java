package io.xmig.control.host;

import io.xmig.control.host.HostException.Kind;
import io.xmig.control.host.v1.Prepare;
import io.xmig.control.host.v1.VmDescription;
import io.xmig.control.qemu.VmDirectory;
import io.xmig.control.qemu.VmSpec;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a VM that another host describes: checks the description, which is not trusted,
 * and says how the VM is attached here.
 *
 * @threading any
 */
final class Arrivals {
  private final HostConfig config;
  private final ConcurrentMap<String, Expected> expected = new ConcurrentHashMap<>();

  /** How an expected VM is to be attached. */
  private record Expected(VmSpec.@Nullable Nic nic, @Nullable Path disk) {}

  Arrivals(HostConfig config) {
    this.config = config;
  }

  /** Says how the VM of this name is attached when it comes. */
  void expect(String name, VmSpec.@Nullable Nic nic, @Nullable Path disk) {
    expected.put(name, new Expected(nic, disk));
  }

  /**
   * The VM as it is to be started here.
   *
   * @throws HostException if it cannot or must not be
   */
  VmSpec spec(Prepare prepare, VmDirectory files) {
    VmDescription wanted = prepare.getVm();
    if (!wanted.getAccelerator().equals(config.accelerator().accelerator().name())) {
      throw new HostException(
          Kind.INVALID,
          "source and destination must use the same accelerator; see XMIG_ACCEL",
          Map.of(
              "source",
              wanted.getAccelerator(),
              "destination",
              config.accelerator().accelerator()));
    }
    Expected here = expected.get(wanted.getName());
    return new VmSpec(
        wanted.getName(),
        wanted.getMemoryMib(),
        image(wanted.getKernel()),
        image(wanted.getInitrd()),
        wanted.getAppend(),
        disk(prepare, here, files),
        wanted.getDiskBytes(),
        nic(wanted, here, files));
  }

  private VmSpec.@Nullable Nic nic(
      VmDescription wanted, @Nullable Expected here, VmDirectory files) {
    VmSpec.Nic given = here == null ? null : here.nic();
    VmSpec.Nic usual = config.nic(wanted.getMac(), wanted.getHostMtu(), files.path());
    if (usual == null) {
      return null;
    }
    VmSpec.Nic nic =
        given == null
            ? usual
            : new VmSpec.Nic(
                wanted.getMac(), wanted.getHostMtu(), given.local(), given.remote(), given.tap());
    return nic.withAnnouncing(!wanted.getSilentNic());
  }

  private static @Nullable Path disk(Prepare prepare, @Nullable Expected here, VmDirectory files) {
    String image = prepare.getVm().getDiskImage();
    if (image.isEmpty()) {
      return null;
    }
    if (here != null && here.disk() != null) {
      return here.disk();
    }
    // what is on shared storage is where it is; a copy gets a place of its own
    return prepare.getWithDisk() ? files.disk() : Path.of(image);
  }

  /** Checks a name that may become that of a directory. */
  static String checkName(String name) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,40}")) {
      throw new HostException(Kind.INVALID, "not a name for a VM", Map.of("name", name));
    }
    return name;
  }

  /** A file that another host names must be one of the images kept here. */
  private Path image(String text) {
    try {
      Path real = Path.of(text).toRealPath();
      if (real.startsWith(config.images().toRealPath())) {
        return real;
      }
    } catch (IOException e) {
      throw new HostException(
          Kind.NOT_FOUND,
          "the VM's kernel or initial file system is not on this host; build or copy the same image",
          Map.of("path", text),
          e);
    }
    throw new HostException(
        Kind.INVALID,
        "the VM's kernel or initial file system is outside this host's image directory",
        Map.of("path", text, "images", config.images()));
  }

  /** Makes the file that the disk's content will be written to. */
  static void makeEmptyDisk(Path disk, long bytes) {
    try {
      Files.createDirectories(disk.toAbsolutePath().getParent());
      Files.deleteIfExists(disk);
      try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
        file.setLength(bytes);
      }
    } catch (IOException e) {
      throw new HostException(
          Kind.FAILED,
          "cannot make the VM's disk",
          Map.of("disk", disk, "reason", String.valueOf(e.getMessage())),
          e);
    }
  }
}
