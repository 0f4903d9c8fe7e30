package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.xmig.control.qemu.MigrationDriver;
import io.xmig.control.qemu.MigrationProgress;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.PipeCommand;
import io.xmig.control.qemu.QmpEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * QEMU's side of a migration with plain socat pipes: sequences, and what happens when a pipe dies.
 */
@Tag("qemu")
@Timeout(600)
class SocatMigrationIT {
  private static final Duration SOON = Duration.ofSeconds(120);

  @RegisterExtension final QemuLab lab = new QemuLab();

  @BeforeEach
  void needsSocat() {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/socat")), "socat is not installed");
  }

  /** The file of a socket is there a moment before anybody listens. */
  private static final String AGAIN = ",retry=300,interval=0.1";

  private PipeCommand sender(String options) {
    return PipeCommand.in(
        lab.directory(),
        "send",
        List.of(
            "socat", "-u", "STDIN", "UNIX-CONNECT:" + lab.directory().resolve("pipe") + options));
  }

  private PipeCommand receiver() {
    return PipeCommand.in(
        lab.directory(),
        "receive",
        List.of("socat", "-u", "UNIX-LISTEN:" + lab.directory().resolve("pipe"), "STDOUT"));
  }

  private static boolean migration(QmpEvent event, String status) {
    return event.name().equals("MIGRATION") && event.text("status").equals(status);
  }

  @Test
  void movesARunningGuestWithBothPipesLeftBehind() throws Exception {
    QemuLab.Vm source =
        lab.start(lab.spec("a", "/xmig/guest ballast=64 dirty=5 dirty-set=16"), false);
    source.awaitConsole(GuestMain.READY, Duration.ofSeconds(240));
    QemuLab.Vm destination = lab.start(lab.spec("b", "unused"), true);
    MigrationDriver from = new MigrationDriver(source.qemu().qmp());
    MigrationDriver to = new MigrationDriver(destination.qemu().qmp());
    PipeCommand sender = sender(AGAIN);
    PipeCommand receiver = receiver();
    receiver.prepare();
    sender.prepare();

    to.receive(receiver.uri());
    await().atMost(SOON).until(() -> Files.exists(lab.directory().resolve("pipe")));
    from.prepareSource(MigrationSettings.usual(false));
    from.migrate(sender.uri(), false);
    QmpEvent stopped = source.awaitEvent(SOON, event -> event.name().equals("STOP"));
    source.awaitEvent(SOON, event -> migration(event, "completed"));
    destination.awaitEvent(SOON, event -> migration(event, "completed"));
    assertThat(to.runState()).isEqualTo("paused");
    to.run();
    QmpEvent resumed = destination.awaitEvent(SOON, event -> event.name().equals("RESUME"));
    MigrationProgress totals = from.totals();
    source.qemu().quit();

    assertThat(source.qemu().isAlive()).isFalse();
    assertThat(to.runState()).isEqualTo("running");
    assertThat(totals.totalTimeMs()).isPositive();
    assertThat(totals.transferredBytes()).isGreaterThan(64L << 20);
    assertThat(Duration.between(stopped.time(), resumed.time())).isBetween(Duration.ZERO, SOON);
    await().atMost(SOON).until(() -> sender.exitStatus().equals(OptionalInt.of(0)));
    System.out.printf(
        "migrated: total %d ms, qemu's downtime %d ms, STOP to RESUME %d ms, %d MB%n",
        totals.totalTimeMs(),
        totals.downtimeMs(),
        Duration.between(stopped.time(), resumed.time()).toMillis(),
        totals.transferredBytes() / 1_000_000);
  }

  /** Until the pipe is full and QEMU waits for it. */
  private static void awaitStuck(MigrationDriver from) {
    long[] before = {-1};
    await()
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(500))
        .until(
            () -> {
              long transferred = from.progress().transferredBytes();
              boolean stuck = transferred > 0 && transferred == before[0];
              before[0] = transferred;
              return stuck;
            });
  }

  @Test
  void guestRunsOnWhenAPipeDies() throws Exception {
    QemuLab.Vm source = lab.start(lab.spec("a", "echo started; sleep 1000"), false);
    source.awaitConsole("started", Duration.ofSeconds(240));
    MigrationDriver from = new MigrationDriver(source.qemu().qmp());
    from.prepareSource(MigrationSettings.usual(false));

    // a sender that cannot reach anybody
    PipeCommand sender = sender("");
    sender.prepare();
    from.migrate(sender.uri(), false);
    source.awaitEvent(SOON, event -> migration(event, "failed"));
    assertThat(from.runState()).isEqualTo("running");
    assertThat(from.progress().error()).contains("Broken pipe");

    // a sender that reads nothing: cancel alone has no effect, killing it has
    PipeCommand stuck = PipeCommand.in(lab.directory(), "stuck", List.of("sleep", "1000"));
    stuck.prepare();
    from.migrate(stuck.uri(), false);
    source.awaitEvent(SOON, event -> migration(event, "active"));
    await().atMost(SOON).until(() -> stuck.pid().isPresent());
    awaitStuck(from);
    from.cancel();
    assertThat(from.progress().status()).isEqualTo(MigrationProgress.Status.CANCELLING);
    stuck.kill();
    source.awaitEvent(SOON, event -> migration(event, "cancelled"));
    assertThat(from.runState()).isEqualTo("running");
  }

  @Test
  void receiverThatDiesSilentlyIsSeenByItsStatus() throws Exception {
    QemuLab.Vm destination = lab.start(lab.spec("b", "unused"), true);
    // its buffers are not given back one by one, unless who started xmig wants it otherwise
    assertThat(Files.readString(Path.of("/proc", destination.qemu().pid() + "", "environ")))
        .contains("MALLOC_MMAP_THRESHOLD_=", "MALLOC_TRIM_THRESHOLD_=");
    PipeCommand receiver = PipeCommand.in(lab.directory(), "receive", List.of("false"));
    receiver.prepare();

    new MigrationDriver(destination.qemu().qmp()).receive(receiver.uri());

    await().atMost(SOON).until(() -> receiver.exitStatus().equals(OptionalInt.of(1)));
    assertThat(new MigrationDriver(destination.qemu().qmp()).runState()).isEqualTo("inmigrate");
  }
}
