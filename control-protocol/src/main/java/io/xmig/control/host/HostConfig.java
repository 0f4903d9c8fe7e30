package io.xmig.control.host;

import io.xmig.control.qemu.AcceleratorProbe;
import io.xmig.control.qemu.VmDirectory;
import io.xmig.control.qemu.VmSpec;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a host service is set up.
 *
 * @param state directory for VMs and the hand-off journal; must outlive the service and be short,
 *     as sockets are in it
 * @param images directory that kernels and initial file systems of arriving VMs must be in, since
 *     another host names them
 * @param nicRemote datagram socket that takes the frames of arriving VMs, or {@code null}
 * @param nicTap TAP device for arriving VMs instead, or {@code null}
 * @param accelerator how QEMU runs guests here
 */
public record HostConfig(
    Path state,
    Path images,
    @Nullable Path nicRemote,
    @Nullable String nicTap,
    AcceleratorProbe.Decision accelerator) {
  public HostConfig {
    state = state.toAbsolutePath().normalize();
    images = images.toAbsolutePath().normalize();
  }

  /** How an arriving VM is attached unless somebody said otherwise. */
  VmSpec.@Nullable Nic nic(String mac, int hostMtu, Path vmDirectory) {
    if (mac.isEmpty()) {
      return null;
    }
    if (nicTap != null) {
      return new VmSpec.Nic(mac, hostMtu, null, null, nicTap);
    }
    Path remote = nicRemote == null ? vmDirectory.resolve("nic.peer") : nicRemote;
    return new VmSpec.Nic(mac, hostMtu, new VmDirectory(vmDirectory).nicSocket(), remote, null);
  }
}
