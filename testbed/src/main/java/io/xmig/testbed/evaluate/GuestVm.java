package io.xmig.testbed.evaluate;

import io.xmig.control.qemu.Accelerator;
import io.xmig.control.qemu.MigrationDriver;
import io.xmig.control.qemu.QemuProcess;
import io.xmig.control.qemu.QmpEvent;
import io.xmig.control.qemu.VmDirectory;
import io.xmig.control.qemu.VmSpec;
import io.xmig.testbed.run.RunException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One QEMU on one host, with what it has said.
 *
 * @threading events come on QMP's thread; everything else on one
 */
final class GuestVm implements AutoCloseable {
  private final VmDirectory files;
  private final QemuProcess qemu;
  private final List<QmpEvent> events;

  private GuestVm(VmDirectory files, QemuProcess qemu, List<QmpEvent> events) {
    this.files = files;
    this.qemu = qemu;
    this.events = events;
  }

  static GuestVm start(
      VmSpec spec,
      VmDirectory files,
      Accelerator accelerator,
      boolean incoming,
      List<String> prefix) {
    List<QmpEvent> events = new ArrayList<>();
    QemuProcess qemu =
        QemuProcess.start(
            spec,
            files,
            accelerator,
            incoming,
            false,
            prefix,
            event -> {
              synchronized (events) {
                events.add(event);
                events.notifyAll();
              }
            });
    return new GuestVm(files, qemu, events);
  }

  QemuProcess qemu() {
    return qemu;
  }

  VmDirectory files() {
    return files;
  }

  MigrationDriver driver() {
    return new MigrationDriver(qemu.qmp());
  }

  /** The first event like this, {@code null} if none has come within the limit. */
  @Nullable QmpEvent await(Predicate<QmpEvent> wanted, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    synchronized (events) {
      while (true) {
        for (QmpEvent event : events) {
          if (wanted.test(event)) {
            return event;
          }
        }
        long leftMs = (deadline - System.nanoTime()) / 1_000_000;
        if (leftMs <= 0 || !qemu.isAlive()) {
          return null;
        }
        try {
          events.wait(Math.min(leftMs, 200));
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new RunException("interrupted while the guest moves", e);
        }
      }
    }
  }

  /** Forgets events, before something new is begun. */
  void forget() {
    synchronized (events) {
      events.clear();
    }
  }

  /** Has the guest's shell on the serial console run a line. */
  void shell(String line) {
    try (SocketChannel console =
        SocketChannel.open(UnixDomainSocketAddress.of(files.serialSocket()))) {
      ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        console.write(bytes);
      }
      // QEMU takes what was written into its queue before it sees the end
      console.shutdownOutput();
      console.read(ByteBuffer.allocate(1 << 16));
    } catch (IOException e) {
      throw new RunException("cannot talk to the guest's console", e);
    }
  }

  /** Waits for a text on the serial console. */
  void awaitConsole(String text, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      while (!Files.exists(files.serialLog())
          || !Files.readString(files.serialLog(), StandardCharsets.ISO_8859_1).contains(text)) {
        if (System.nanoTime() > deadline || !qemu.isAlive()) {
          throw new RunException(
              "the guest does not say '" + text + "'",
              Map.of("console", files.serialLog(), "qemu", QemuProcess.lastWords(files)));
        }
        Stage.pause(50);
      }
    } catch (IOException e) {
      throw new RunException("cannot read the guest's console", e);
    }
  }

  @Override
  public void close() {
    qemu.kill();
  }
}
