package io.xmig.testbed.vm;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.xmig.control.qemu.Accelerator;
import io.xmig.control.qemu.QemuProcess;
import io.xmig.control.qemu.QmpEvent;
import io.xmig.control.qemu.VmDirectory;
import io.xmig.control.qemu.VmSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Real virtual machines for a test; whatever is still there afterwards is killed and deleted. */
public final class QemuLab implements BeforeEachCallback, AfterEachCallback {
  private final List<Vm> vms = new ArrayList<>();
  private Path directory;
  private GuestImage image;

  /** One QEMU and what it has reported. */
  public static final class Vm {
    private final BlockingQueue<QmpEvent> events = new LinkedBlockingQueue<>();
    private QemuProcess qemu;

    /** The process. */
    public QemuProcess qemu() {
      return qemu;
    }

    /** Waits for an event and drops those before it. */
    public QmpEvent awaitEvent(Duration limit, Predicate<QmpEvent> wanted)
        throws InterruptedException {
      long deadline = System.nanoTime() + limit.toNanos();
      while (true) {
        QmpEvent event =
            events.poll(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        if (event == null) {
          throw new AssertionError(
              "no such event of "
                  + qemu.name()
                  + " within "
                  + limit
                  + "; qemu: "
                  + QemuProcess.lastWords(qemu.files()));
        }
        if (wanted.test(event)) {
          return event;
        }
      }
    }

    /** Waits for text on the guest's serial console. */
    public void awaitConsole(String text, Duration limit) throws InterruptedException, IOException {
      long deadline = System.nanoTime() + limit.toNanos();
      while (!console().contains(text)) {
        if (System.nanoTime() > deadline || !qemu.isAlive()) {
          throw new AssertionError("no '" + text + "' on the console: " + console());
        }
        Thread.sleep(20);
      }
    }

    private String console() throws IOException {
      Path log = qemu.files().serialLog();
      return Files.exists(log) ? Files.readString(log, StandardCharsets.ISO_8859_1) : "";
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    assumeTrue(QemuProcess.installed(), "qemu-system-x86_64 is not installed");
    GuestImageBuilder builder = GuestImageBuilder.ofThisProgram(line -> {});
    assumeTrue(
        builder.missingPackages().isEmpty(),
        () -> "missing for the guest image: " + builder.missingPackages());
    image = builder.build();
    // sockets want short paths
    directory = Files.createTempDirectory(Path.of("/tmp"), "xlab");
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    for (Vm vm : vms) {
      vm.qemu.kill();
    }
    if (directory != null) {
      try (Stream<Path> walk = Files.walk(directory)) {
        for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(path);
        }
      }
    }
  }

  /** A directory for this test. */
  public Path directory() {
    return directory;
  }

  /** A machine that runs {@code run}. */
  public VmSpec spec(String name, String run) {
    return new VmSpec(
        name,
        640,
        image.kernel(),
        image.initrd(),
        image.commandLine(Map.of(), run),
        null,
        0,
        new VmSpec.Nic(
            "52:54:00:12:34:56",
            0,
            directory.resolve(name + ".nic"),
            directory.resolve("host.nic"),
            null));
  }

  /** Starts a QEMU. */
  public Vm start(VmSpec spec, boolean incoming) {
    Vm vm = new Vm();
    vm.qemu =
        QemuProcess.start(
            spec,
            new VmDirectory(directory.resolve(spec.name())),
            Accelerator.TCG,
            incoming,
            incoming,
            vm.events::add);
    vms.add(vm);
    return vm;
  }
}
