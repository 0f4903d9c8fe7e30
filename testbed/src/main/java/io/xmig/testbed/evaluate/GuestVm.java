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
  private static final Duration CONSOLE = Duration.ofSeconds(30);

  private final VmDirectory files;
  private final QemuProcess qemu;
  private final List<QmpEvent> events;
  private int commands;

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

  /**
   * Has the guest's shell on the serial console run a line, and waits until it has.
   *
   * @throws RunException if the console does not take it, or the guest does not get to it
   */
  void shell(String line) {
    String mark = ++commands + "-" + qemu.pid();
    // the console echoes the command: quotes make the mark in it differ from what it prints
    String whole = line + "\necho d\"i\"d-" + mark + "\n";
    ByteBuffer bytes = ByteBuffer.wrap(whole.getBytes(StandardCharsets.UTF_8));
    ByteBuffer echo = ByteBuffer.allocate(1 << 12);
    long deadline = System.nanoTime() + CONSOLE.toNanos();
    try (SocketChannel console =
        SocketChannel.open(UnixDomainSocketAddress.of(files.serialSocket()))) {
      console.configureBlocking(false);
      // QEMU takes as much as the guest's serial port holds, and forgets the rest at a hang-up
      while (bytes.hasRemaining() || !hasSaid("did-" + mark)) {
        console.write(bytes);
        if (console.read(echo.clear()) < 0) {
          throw new RunException("the guest's console hung up", Map.of("command", line));
        }
        if (System.nanoTime() > deadline || !qemu.isAlive()) {
          throw new RunException(
              "the guest does not do what its console says",
              Map.of("command", line, "console", said()));
        }
        Stage.pause(5);
      }
    } catch (IOException e) {
      throw new RunException("cannot talk to the guest's console", e);
    }
  }

  /**
   * Waits for a text on the serial console.
   *
   * @param from characters before do not count
   */
  void awaitConsole(String text, int from, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (said().indexOf(text, from) < 0) {
      if (System.nanoTime() > deadline || !qemu.isAlive()) {
        throw new RunException(
            "the guest does not say '" + text + "'",
            Map.of("console", files.serialLog(), "qemu", QemuProcess.lastWords(files)));
      }
      Stage.pause(50);
    }
  }

  /** Whether a text has been on the serial console since this QEMU runs. */
  boolean hasSaid(String text) {
    return said().contains(text);
  }

  /** All that has been on the serial console since this QEMU runs. */
  String said() {
    try {
      return Files.exists(files.serialLog())
          ? Files.readString(files.serialLog(), StandardCharsets.ISO_8859_1)
          : "";
    } catch (IOException e) {
      throw new RunException("cannot read the guest's console", e);
    }
  }

  @Override
  public void close() {
    qemu.kill();
  }
}
