package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.StatusRuntimeException;
import io.xmig.control.host.HostClient;
import io.xmig.control.host.HostConfig;
import io.xmig.control.host.HostServer;
import io.xmig.control.host.Pipes;
import io.xmig.control.host.VmHost;
import io.xmig.control.host.v1.CancelRequest;
import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.ListRequest;
import io.xmig.control.host.v1.MigrateRequest;
import io.xmig.control.host.v1.Result.Outcome;
import io.xmig.control.host.v1.StartVmRequest;
import io.xmig.control.host.v1.VmInfo;
import io.xmig.control.pipe.LastProgress;
import io.xmig.control.qemu.Accelerator;
import io.xmig.control.qemu.AcceleratorProbe;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.PipeCommand;
import io.xmig.control.qemu.VmSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two host services and a real guest that is moved between them while things break. */
@Tag("qemu")
@Timeout(600)
class HostServiceIT {
  private static final Duration SOON = Duration.ofSeconds(120);

  /** What a pipe says that it counts with. */
  private static final int LIMIT_MS = 190;

  @RegisterExtension final QemuLab lab = new QemuLab();
  private final LoopNetwork network = new LoopNetwork();
  private final List<Host> hosts = new ArrayList<>();

  /** One host service with its client. */
  private final class Host {
    private final String name;
    private final Pipes pipes;
    private VmHost vms;
    private HostServer server;
    private HostClient client;

    Host(String name) throws IOException {
      this(name, new SocatPipes(lab.directory()));
    }

    Host(String name, Pipes pipes) throws IOException {
      this.name = name;
      this.pipes = pipes;
      start();
      hosts.add(this);
    }

    private Path state() {
      return lab.directory().resolve(name);
    }

    private void start() throws IOException {
      HostConfig config =
          new HostConfig(
              state(),
              GuestImageBuilder.defaultCache(),
              lab.directory().resolve("host.nic"),
              null,
              new AcceleratorProbe.Decision(Accelerator.TCG, "test"));
      vms = new VmHost(config, network.transport(name), pipes);
      server = new HostServer(vms, state().resolve("host.sock"), null);
      client = HostClient.onSocket(state().resolve("host.sock"));
    }

    /** As after a crash: QEMUs go on, everything in memory is gone. */
    void crash() {
      client.close();
      server.close();
      vms.close();
    }

    Optional<VmInfo> vm() {
      return client.calls().list(ListRequest.getDefaultInstance()).getVmsList().stream()
          .filter(vm -> vm.getName().equals("vm"))
          .findFirst();
    }

    String state(String missing) {
      return vm().map(VmInfo::getState).orElse(missing);
    }
  }

  /** A pipe through a Unix-domain socket whose name is the address. */
  private record SocatPipes(Path directory) implements Pipes {
    @Override
    public String address(String handoff) {
      return directory.resolve("p" + handoff.substring(0, 8)).toString();
    }

    @Override
    public MigrationPipe receiver(Path vm, String handoff) {
      return PipeCommand.in(
          vm,
          "receive-" + handoff,
          // ends by itself where nobody will ever connect, as receive does
          List.of(
              "socat", "-u", "UNIX-LISTEN:" + address(handoff) + ",accept-timeout=30", "STDOUT"));
    }

    @Override
    public MigrationPipe sender(
        Path vm, String handoff, String address, MigrationSettings settings) {
      return PipeCommand.in(
          vm,
          "send-" + handoff,
          List.of("socat", "-u", "STDIN", "UNIX-CONNECT:" + address + ",retry=300,interval=0.1"));
    }
  }

  /** The same through a slow relay, which tells its rate, and at first nonsense beside it. */
  private record SlowPipes(SocatPipes fast, long bytesPerSecond, AtomicReference<SlowRelay> relay)
      implements Pipes {
    /** More than QEMU takes. */
    private static final int NONSENSE_MS = 3_000_000;

    private static final Duration NONSENSE_FOR = Duration.ofSeconds(2);

    @Override
    public String address(String handoff) {
      return fast.address(handoff);
    }

    @Override
    public MigrationPipe receiver(Path vm, String handoff) {
      return fast.receiver(vm, handoff);
    }

    @Override
    public MigrationPipe sender(
        Path vm, String handoff, String address, MigrationSettings settings) {
      String slow = address + "s";
      try {
        relay.set(new SlowRelay(Path.of(slow), Path.of(address), bytesPerSecond));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return fast.sender(vm, handoff, slow, settings);
    }

    @Override
    public Optional<LastProgress> progress(Path vm, String handoff) {
      SlowRelay carrying = relay.get();
      boolean nonsense = carrying.age().compareTo(NONSENSE_FOR) < 0;
      return Optional.of(
          new LastProgress(carrying.bytesPerSecond(), nonsense ? NONSENSE_MS : LIMIT_MS));
    }
  }

  @BeforeEach
  void needsSocat() {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/socat")), "socat is not installed");
  }

  @AfterEach
  void stopAll() {
    for (Host host : hosts) {
      host.vms.stopAll();
      host.crash();
    }
    network.close();
  }

  private Host startVm(String run) throws Exception {
    return startVm(run, new SocatPipes(lab.directory()));
  }

  private Host startVm(String run, Pipes pipes) throws Exception {
    Host host = new Host("a", pipes);
    VmSpec spec = lab.spec("vm", run);
    host.client
        .calls()
        .startVm(
            StartVmRequest.newBuilder()
                .setName("vm")
                .setMemoryMib(spec.memoryMib())
                .setKernel(spec.kernel().toString())
                .setInitrd(spec.initrd().toString())
                .setAppend(spec.append())
                .setMac("52:54:00:12:34:56")
                .build());
    Path log = Path.of(host.vm().orElseThrow().getSerialLog());
    await()
        .atMost(Duration.ofSeconds(240))
        .until(
            () ->
                Files.exists(log)
                    && Files.readString(log, StandardCharsets.ISO_8859_1)
                        .contains(GuestMain.READY));
    return host;
  }

  private static String migrate(Host from, Host to, long bandwidth) {
    return from.client
        .calls()
        .migrate(
            MigrateRequest.newBuilder()
                .setName("vm")
                .setTo(to.name)
                .setRamOnly(true)
                .setMaxBandwidth(bandwidth)
                .build())
        .getMigration();
  }

  private static HostEvent awaitEvent(Iterator<HostEvent> events, Predicate<HostEvent> wanted) {
    List<String> seen = new ArrayList<>();
    while (events.hasNext()) {
      HostEvent event = events.next();
      seen.add(event.getName());
      if (wanted.test(event)) {
        return event;
      }
    }
    return Assertions.fail("no such event in " + seen);
  }

  private static HostEvent result(Host host, String migration) {
    return awaitEvent(host.client.watch(migration), HostEvent::hasResult);
  }

  @Test
  void movesThereAndBackWithEveryStepWatched() throws Exception {
    Host a = startVm("/xmig/guest ballast=64 dirty=5 dirty-set=16");
    Host b = new Host("b");

    String there = migrate(a, b, 0);
    HostEvent moved = result(a, there);

    assertThat(moved.getResult().getOutcome())
        .as(moved.getResult().getReason())
        .isEqualTo(Outcome.OUTCOME_MOVED);
    assertThat(moved.getResult().getTotalMs()).isPositive();
    assertThat(b.state("")).isEqualTo("running");
    assertThat(a.state("none")).isEqualTo("none");
    List<String> names = new ArrayList<>();
    List<HostEvent> timeline = new ArrayList<>();
    a.client.watch(there).forEachRemaining(timeline::add);
    b.client.watch(there).forEachRemaining(timeline::add);
    timeline.forEach(event -> names.add(event.getName()));
    assertThat(names)
        .contains("prepare", "migrate", "pass", "stop", "commit", "loaded", "resume", "moved");
    long stop = time(timeline, "stop");
    long resume = time(timeline, "resume");
    System.out.printf(
        "host service: total %d ms, setup %d ms, qemu's downtime %d ms, STOP to RESUME %.1f ms%n",
        moved.getResult().getTotalMs(),
        moved.getResult().getSetupMs(),
        moved.getResult().getQemuDowntimeMs(),
        (resume - stop) / 1000.0);

    HostEvent back = result(b, migrate(b, a, 0));
    assertThat(back.getResult().getOutcome())
        .as(back.getResult().getReason())
        .isEqualTo(Outcome.OUTCOME_MOVED);
    assertThat(a.state("")).isEqualTo("running");
    await().atMost(SOON).until(() -> journalIsEmpty(a) && journalIsEmpty(b));
  }

  @Test
  void qemusLimitsFollowWhatThePipeMeasures() throws Exception {
    long rate = 20_000_000;
    AtomicReference<SlowRelay> relay = new AtomicReference<>();
    Host a =
        startVm(
            "echo " + GuestMain.READY + "; sleep 1000",
            new SlowPipes(new SocatPipes(lab.directory()), rate, relay));
    Host b = new Host("b");

    String migration = migrate(a, b, 0);
    HostEvent moved = result(a, migration);
    long measured = relay.get().bytesPerSecond();
    relay.get().close();

    assertThat(moved.getResult().getOutcome())
        .as("QEMU has refused limits at first: %s", moved.getResult().getReason())
        .isEqualTo(Outcome.OUTCOME_MOVED);
    List<HostEvent> timeline = new ArrayList<>();
    a.client.watch(migration).forEachRemaining(timeline::add);
    assertThat(timeline)
        .filteredOn(event -> event.getName().equals("limits"))
        .extracting(HostEvent::getDetail)
        .first(STRING)
        .startsWith("downtime-limit " + LIMIT_MS + " ms, max-bandwidth ");
    assertThat((double) moved.getResult().getMaxBandwidth())
        .isBetween(1.25 * 0.8 * measured, 1.25 * 1.3 * measured);
    assertThat(moved.getResult().getDowntimeLimitMs()).isEqualTo(LIMIT_MS);
    System.out.printf(
        "host service, %.1f MB/s: total %d ms, QEMU's downtime %d ms, limits %s%n",
        measured / 1e6,
        moved.getResult().getTotalMs(),
        moved.getResult().getQemuDowntimeMs(),
        timeline.stream()
            .filter(event -> event.getName().equals("limits"))
            .map(HostEvent::getDetail)
            .toList());
  }

  private static long time(List<HostEvent> timeline, String name) {
    return timeline.stream()
        .filter(event -> event.getName().equals(name))
        .findFirst()
        .orElseThrow()
        .getTimeMicros();
  }

  private static boolean journalIsEmpty(Host host) throws IOException {
    try (var files = Files.list(host.state().resolve("handoffs"))) {
      return files.findAny().isEmpty();
    }
  }

  @Test
  void stayWhereItIsAfterCancelRefusalDeadReceiverAndCrashes() throws Exception {
    Host a = startVm("echo " + GuestMain.READY + "; sleep 1000");
    Host b = new Host("b");
    long slow = 4 << 20; // none of these is to finish, on however slow a machine

    // cancelled half-way
    String cancelled = migrate(a, b, slow);
    awaitEvent(a.client.watch(cancelled), event -> event.getName().equals("pass"));
    a.client.calls().cancel(CancelRequest.newBuilder().setMigration(cancelled).build());
    assertThat(result(a, cancelled).getResult().getOutcome()).isEqualTo(Outcome.OUTCOME_STAYED);
    assertThat(a.state("")).isEqualTo("running");
    await().atMost(SOON).until(() -> b.vm().isEmpty());

    // the destination's QEMU killed half-way
    String killed = migrate(a, b, slow);
    awaitEvent(a.client.watch(killed), event -> event.getName().equals("pass"));
    await().atMost(SOON).until(() -> b.vm().isPresent());
    ProcessHandle.of(b.vm().orElseThrow().getPid()).orElseThrow().destroyForcibly();
    HostEvent stayed = result(a, killed);
    assertThat(stayed.getResult().getOutcome()).isEqualTo(Outcome.OUTCOME_STAYED);
    assertThat(stayed.getResult().getReason()).isNotBlank();
    assertThat(a.state("")).isEqualTo("running");

    // the source's host service crashes half-way: its successor finds VM and hand-off
    String crashed = migrate(a, b, slow);
    awaitEvent(a.client.watch(crashed), event -> event.getName().equals("pass"));
    a.crash();
    a.start();
    assertThat(result(a, crashed).getResult().getOutcome()).isEqualTo(Outcome.OUTCOME_STAYED);
    assertThat(a.state("")).isEqualTo("running");
    await().atMost(SOON).until(() -> b.vm().isEmpty());
    await().atMost(SOON).until(() -> journalIsEmpty(a) && journalIsEmpty(b));

    // it crashes and stays away: the destination does not wait for it
    String orphaned = migrate(a, b, slow);
    awaitEvent(a.client.watch(orphaned), event -> event.getName().equals("pass"));
    await().atMost(SOON).until(() -> b.vm().isPresent());
    a.crash();
    await().atMost(SOON).until(() -> b.vm().isEmpty());
    a.start();
    assertThat(result(a, orphaned).getResult().getOutcome()).isEqualTo(Outcome.OUTCOME_STAYED);
    assertThat(a.state("")).isEqualTo("running");
    await().atMost(SOON).until(() -> journalIsEmpty(a) && journalIsEmpty(b));

    // nonsense
    Assertions.assertThatThrownBy(
            () ->
                a.client
                    .calls()
                    .migrate(MigrateRequest.newBuilder().setName("other").setTo("b").build()))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("no such VM here");
  }

  @ParameterizedTest
  @ValueSource(strings = {"prepare", "migrate", "qemu-active", "stop", "commit"})
  void aCrashOfTheSourcesServiceLeavesOneVm(String moment) throws Exception {
    Host a = startVm("echo " + GuestMain.READY + "; sleep 1000");
    Host b = new Host("b");

    String migration = migrate(a, b, 0);
    awaitEvent(a.client.watch(migration), event -> event.getName().equals(moment));
    a.crash();
    a.start();

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(List.of(a.state("none"), b.state("none")))
                    .containsExactlyInAnyOrder("running", "none"));
    await().atMost(SOON).until(() -> journalIsEmpty(a) && journalIsEmpty(b));
  }

  @Test
  void destinationsServiceMayCrashAndTheLinkBreakWhileItMoves() throws Exception {
    Host a = startVm("echo " + GuestMain.READY + "; sleep 1000");
    Host b = new Host("b");

    String migration = migrate(a, b, 60 << 20);
    awaitEvent(a.client.watch(migration), event -> event.getName().equals("pass"));
    b.crash();
    network.cut();
    b.start();
    network.heal();
    HostEvent end = result(a, migration);

    assertThat(end.getResult().getOutcome())
        .as(end.getResult().getReason())
        .isEqualTo(Outcome.OUTCOME_MOVED);
    assertThat(b.state("")).isEqualTo("running");
    assertThat(a.vm()).isEmpty();
    await().atMost(SOON).until(() -> journalIsEmpty(a) && journalIsEmpty(b));
  }
}
