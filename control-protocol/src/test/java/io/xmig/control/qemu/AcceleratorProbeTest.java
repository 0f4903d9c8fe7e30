package io.xmig.control.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AcceleratorProbeTest {
  @TempDir Path root;

  private AcceleratorProbe.Decision decide(Map<String, String> environment) {
    return new AcceleratorProbe(root, environment, root.resolve("cache"))
        .decide(null, null, "", "");
  }

  private void machine(String flags, boolean module, boolean device) throws IOException {
    Files.createDirectories(root.resolve("proc"));
    Files.writeString(
        root.resolve("proc/cpuinfo"), "model\t: 1\nflags\t\t: fpu " + flags + " sse\n");
    if (module) {
      Files.createDirectories(root.resolve("sys/module/kvm_intel"));
    }
    if (device) {
      Files.createDirectories(root.resolve("dev"));
      Files.createFile(root.resolve("dev/kvm"));
    }
  }

  @Test
  void doesNotBelieveADeviceWithoutHardwareFlags() throws IOException {
    machine("", true, true);

    AcceleratorProbe.Decision decision = decide(Map.of());

    assertThat(decision.accelerator()).isEqualTo(Accelerator.TCG);
    assertThat(decision.reason()).contains("neither vmx nor svm");
  }

  @Test
  void doesNotBelieveFlagsWithoutTheModule() throws IOException {
    machine("vmx", false, true);

    assertThat(decide(Map.of()).reason()).contains("kvm_intel");
  }

  @Test
  void doesNotBelieveAModuleWithoutTheDevice() throws IOException {
    machine("svm", true, false);

    assertThat(decide(Map.of()).reason()).contains("/dev/kvm");
  }

  @Test
  void believesOnlyAProbeBoot() throws IOException {
    machine("vmx", true, true);

    assertThat(decide(Map.of()).accelerator()).isEqualTo(Accelerator.TCG);
    assertThat(decide(Map.of()).reason()).contains("nothing to prove it", "XMIG_ACCEL=kvm");
  }

  @Test
  void obeysTheOverride() {
    assertThat(decide(Map.of("XMIG_ACCEL", "KVM")).accelerator()).isEqualTo(Accelerator.KVM);
    assertThat(decide(Map.of("XMIG_ACCEL", "tcg")).accelerator()).isEqualTo(Accelerator.TCG);
    assertThatThrownBy(() -> decide(Map.of("XMIG_ACCEL", "xen")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'xen'");
  }
}
