package io.xmig.testbed.run;

import io.xmig.control.host.v1.MigrateRequest;
import io.xmig.control.host.v1.NicAttachment;
import io.xmig.control.host.v1.Progress;
import io.xmig.control.host.v1.StartVmRequest;
import io.xmig.control.host.v1.VmInfo;
import io.xmig.control.qemu.EpochMicros;
import io.xmig.testbed.report.RunResult;
import io.xmig.testbed.vm.GuestImage;
import io.xmig.testbed.vm.GuestImageBuilder;
import io.xmig.testbed.workload.AgentDiary;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One experiment from an empty directory to its result: nodes, hosts, VM, clients, migrations,
 * verdict.
 */
final class Experiment {
  static final String VM = "vm";
  private static final Duration LEFT_LIMIT = Duration.ofSeconds(5);
  private static final Duration NAME_LIMIT = Duration.ofSeconds(15);
  private static final Duration NODE_START = Duration.ofSeconds(30);
  private static final Duration BOOT = Duration.ofSeconds(90);
  private static final Duration LAST_ANSWERS = Duration.ofMillis(700);

  /** After a migration nobody asks anything for this long: what the agent does then is over. */
  private static final int QUIET_MS = 1500;

  /** Moments told by others may be off by this much. */
  private static final long CLOCK_ERROR_US = 10_000;

  private static final double BYTES_PER_GB = 1L << 30;
  private static final Pattern BYTES_OUT = Pattern.compile("out \\d+/(\\d+)");

  private final Scenario scenario;
  private final RunOptions options;
  private final Consumer<String> say;
  private final ProgressView view;
  private final List<String> problems = new ArrayList<>();

  Experiment(Scenario scenario, RunOptions options, Consumer<String> say, ProgressView view) {
    this.scenario = scenario;
    this.options = options;
    this.say = say;
    this.view = view;
  }

  /** Runs it; whatever happens, nothing is left running. */
  RunResult run() throws IOException {
    long startUs = EpochMicros.now();
    GuestImage image = image();
    try (Lab lab = Lab.open(options.keep)) {
      if (options.keep) {
        say.accept("logs and sockets: " + lab.directory());
      }
      Nodes nodes = Nodes.prepare(lab, scenario, options);
      nodes.start();
      say.accept(
          "network up: "
              + String.join(", ", nodes.names())
              + " ("
              + nodes.links().description()
              + ")");
      try (Hypervisors hypervisors = startHosts(lab, nodes)) {
        String first = scenario.hosts().get(0);
        VmInfo vm = hypervisors.start(first, startRequest(lab, image, nodes));
        say.accept(
            "VM started on "
                + first
                + " ("
                + vm.getAccelerator()
                + ": "
                + vm.getAcceleratorReason()
                + ")");
        try (Clients clients = new Clients(nodes.open(scenario.client()))) {
          return observe(startUs, lab, nodes, image, hypervisors, clients, vm);
        }
      }
    }
  }

  private GuestImage image() {
    GuestImageBuilder builder = GuestImageBuilder.ofThisProgram(say);
    if (!options.ramOnly) {
      builder.disk(options.diskMb);
    }
    return builder.build();
  }

  private Hypervisors startHosts(Lab lab, Nodes nodes) {
    for (String host : scenario.hosts()) {
      List<String> words = new ArrayList<>(List.of("host", "--xia", nodes.stackOf(host)));
      words.addAll(List.of("--key", nodes.identities().key(host).toString()));
      for (String other : scenario.hosts()) {
        words.addAll(
            List.of("--accept-from", nodes.network().topology().node(other).hid().toString()));
      }
      words.addAll(
          List.of(
              "--state",
              lab.directory().resolve(host).toString(),
              "--images",
              images(lab).toString(),
              "--nic",
              nodes.links().nic(host)));
      nodes.pipes(host).ifPresent(socket -> words.addAll(List.of("--pipes", socket.toString())));
      lab.launch("host-" + host, nodes.links().prefix(host), words);
    }
    Hypervisors hypervisors = new Hypervisors();
    for (String host : scenario.hosts()) {
      lab.awaitReady("host-" + host, "host service ready", NODE_START);
      hypervisors.join(host, lab.directory().resolve(host));
    }
    return hypervisors;
  }

  /** Where the files are that the VM is started from, at its destination as well. */
  private static Path images(Lab lab) {
    return lab.directory().resolve("images");
  }

  private StartVmRequest startRequest(Lab lab, GuestImage image, Nodes nodes) throws IOException {
    GuestImage own = image.forVm(images(lab), nodes.guestSecrets(Nodes.GUEST_NAME));
    Map<String, String> environment = new TreeMap<>();
    int mtu = nodes.links().guestMtu();
    if (mtu != 1500) {
      environment.put("MTU", Integer.toString(mtu));
    }
    StringBuilder run = new StringBuilder("/xmig/guest");
    if (options.ballastMb > 0) {
      run.append(" ballast=").append(options.ballastMb);
      run.append(" dirty=").append(options.dirtyMbPerSecond);
    }
    StartVmRequest.Builder request =
        StartVmRequest.newBuilder()
            .setName(VM)
            .setMemoryMib(options.memoryMb)
            .setKernel(own.kernel().toString())
            .setInitrd(own.initrd().toString())
            .setAppend(image.commandLine(environment, run.toString()))
            .setMac(Nodes.GUEST_MAC)
            .setHostMtu(mtu == 1500 ? 0 : mtu)
            // where a host speaks for the guest, the frame that says so is the guest's sign, too
            .setSilentNic(options.agent().onHost())
            .setNic(attachment(nodes.links().nic(scenario.hosts().get(0))));
    if (image.disk() != null) {
      Path disk = lab.directory().resolve("disk.raw");
      image.copyDisk(disk);
      request.setDisk(disk.toString());
    }
    return request.build();
  }

  private static NicAttachment attachment(String nic) {
    NicAttachment.Builder made = NicAttachment.newBuilder();
    return nic.startsWith("tap:")
        ? made.setTap(nic.substring("tap:".length())).build()
        : made.setRemote(nic).build();
  }

  private RunResult observe(
      long startUs,
      Lab lab,
      Nodes nodes,
      GuestImage image,
      Hypervisors hypervisors,
      Clients clients,
      VmInfo vm)
      throws IOException {
    Xid hid = nodes.identities().hid(Nodes.VM);
    LocalAddress address = new LocalAddress(nodes.network().ad(scenario.hosts().get(0)), hid, null);
    clients.awaitService(address, BOOT);
    say.accept("the service in the VM answers at " + address.host());
    clients.awaitName(Nodes.GUEST_NAME, address.host(), NAME_LIMIT);
    clients.ping("VM", address.host(), Duration.ofMillis(options.xpingIntervalMs));
    clients.ask(address, Duration.ofMillis(options.calIntervalMs));
    try (Siege siege = Siege.begin(lab, nodes, scenario, options)) {
      Clients.pause(options.settleMs);
      return moveAround(startUs, lab, nodes, image, hypervisors, clients, vm, hid, siege);
    }
  }

  private RunResult moveAround(
      long startUs,
      Lab lab,
      Nodes nodes,
      GuestImage image,
      Hypervisors hypervisors,
      Clients clients,
      VmInfo vm,
      Xid hid,
      @Nullable Siege siege)
      throws IOException {
    List<MigrationRecord> migrations = new ArrayList<>();
    try {
      for (int i = 0; i < options.migrations; i++) {
        migrations.add(migrate(i, hid, nodes, hypervisors, clients));
      }
      String last = scenario.hostAfter(options.migrations);
      String state = hypervisors.state(last, VM);
      if (!state.equals("running")) {
        problems.add("the VM is " + state + " on " + last + " after the last migration");
      }
    } catch (RunException e) {
      problems.add(e.getMessage());
    }
    problems.addAll(lab.dead().stream().map(name -> name + " ended during the run").toList());
    LocalAddress there =
        new LocalAddress(nodes.network().ad(scenario.hostAfter(migrations.size())), hid, null);
    Map<String, Map<String, Long>> byVm = clients.countsOf(there);
    clients.finish(LAST_ANSWERS);
    problems.addAll(unanswered(clients.pingLogs(), migrations));
    RunResult result =
        new ResultBuilder(
                startUs,
                describe(image, nodes, vm, byVm),
                MachineInfo.read("qemu-system-x86_64"),
                migrations,
                clients.calOutcomes(),
                clients.pingLogs())
            .build(EpochMicros.now(), problems);
    if (siege != null) {
      ProbeLog probes = clients.pingLogs().values().iterator().next();
      result = siege.judge(result, migrations, probes, byVm, EpochMicros.now());
    }
    stopQuietly(hypervisors);
    return result;
  }

  /** Every address that the VM has had must be answered where it is last. */
  private static List<String> unanswered(
      Map<String, ProbeLog> pings, List<MigrationRecord> migrations) {
    long last = migrations.stream().mapToLong(MigrationRecord::runningUs).max().orElse(0);
    return pings.entrySet().stream()
        .filter(
            ping ->
                ping.getValue().samples().stream()
                    .noneMatch(sample -> sample.answered() && sample.sentUs() > last))
        .map(ping -> "Xping to " + ping.getKey() + ": no answer after the last migration")
        .toList();
  }

  /** Looks the VM up where it is now: by its name, and by its new address. */
  private MigrationRecord arrived(Xid hid, Nodes nodes, Clients clients, MigrationRecord moved) {
    Xid ad = nodes.network().ad(moved.to());
    Dag here = new LocalAddress(ad, hid, null).host();
    clients.ping("VM in " + ad, here, Duration.ofMillis(options.xpingIntervalMs));
    try (Clients left = new Clients(nodes.inspect(moved.from()))) {
      if (!left.reaches(here, LEFT_LIMIT)) {
        problems.add(moved.from() + " cannot reach the VM that has left it, at " + here);
      }
    }
    try {
      return moved.withMoment(
          "the name leads to the new address",
          clients.awaitName(Nodes.GUEST_NAME, here, NAME_LIMIT));
    } catch (RunException e) {
      problems.add(e.getMessage());
      return moved;
    }
  }

  /** Migrates, leaves the machine alone while the VM finds its way, then asks everybody. */
  private MigrationRecord migrate(
      int index, Xid hid, Nodes nodes, Hypervisors hypervisors, Clients clients)
      throws IOException {
    String from = scenario.hostAfter(index);
    String to = scenario.hostAfter(index + 1);
    say.accept("migration " + (index + 1) + " of " + options.migrations + ": " + from + " → " + to);
    MigrateRequest.Builder wishes =
        MigrateRequest.newBuilder()
            .setRamOnly(options.ramOnly)
            .setOutageTargetMs(options.outageTargetMs)
            .setDowntimeLimitMs(options.downtimeLimitMs);
    String address = nodes.network().address(to).toString();
    String downlink = nodes.network().downlink(to);
    Hypervisors.Moved moved;
    long wire;
    try (XiaStack stack = nodes.inspect(nodes.network().gateway(to))) {
      long before = bytesOut(stack, downlink);
      moved =
          hypervisors.migrate(
              VM, from, to, address, wishes, Duration.ofSeconds(options.limitSeconds), this::show);
      wire = Math.max(0, bytesOut(stack, downlink) - before);
    }
    view.done();
    Clients.pause(QUIET_MS);
    LocalAddress there = new LocalAddress(nodes.network().ad(to), hid, null);
    MigrationRecord record = hypervisors.record(moved).withWireBytes(wire);
    long sinceUs = record.runningUs() - CLOCK_ERROR_US;
    // a host that speaks for the VM does so as soon as the VM has stopped elsewhere
    long stoppedUs = record.stopUs() > 0 ? record.stopUs() : sinceUs;
    record =
        record
            .withMoments(clients.agentEvents(there, sinceUs))
            .withMoments(routeChanges(nodes, to, hid, stoppedUs));
    record = arrived(hid, nodes, clients, record);
    Clients.pause(Math.max(0, options.settleMs - QUIET_MS));
    return record;
  }

  /** When the gateways began to send the VM's packets to where it is now. */
  private static List<MigrationRecord.Moment> routeChanges(
      Nodes nodes, String host, Xid hid, long sinceUs) {
    List<MigrationRecord.Moment> moments = new ArrayList<>();
    String here = nodes.network().gateway(host);
    for (String gateway : nodes.network().gateways()) {
      try (XiaStack stack = nodes.inspect(gateway)) {
        String changes = Nodes.read(stack, gateway + "/gateway.changes");
        long nowUs = EpochMicros.now();
        for (String line : changes.lines().toList()) {
          String[] words = line.split(" ", -1);
          if (words.length == 4 && words[0].equals(hid.toString())) {
            long atUs = nowUs - Long.parseLong(words[3]);
            if (atUs >= sinceUs) {
              moments.add(
                  new MigrationRecord.Moment(
                      gateway.equals(here) ? Decomposition.REGISTERED : Decomposition.REPOINTED,
                      atUs));
            }
          }
        }
      }
    }
    return moments;
  }

  private void show(long atUs, Progress progress) {
    view.update(progress);
  }

  /**
   * Bytes of frames that have come from the router into a host's segment; 0 where the stack does
   * not tell.
   */
  private static long bytesOut(XiaStack stack, String downlink) {
    Matcher matcher = BYTES_OUT.matcher(Nodes.read(stack, downlink + ".counters"));
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }

  private void stopQuietly(Hypervisors hypervisors) {
    for (String host : scenario.hosts()) {
      try {
        if (!hypervisors.state(host, VM).equals("gone")) {
          hypervisors.stop(host, VM);
        }
      } catch (RunException e) {
        say.accept("while stopping: " + e.getMessage());
      }
    }
  }

  private RunResult.Scenario describe(
      GuestImage image, Nodes nodes, VmInfo vm, Map<String, Map<String, Long>> byVm)
      throws IOException {
    Long peakKb = byVm.getOrDefault(AgentDiary.PROCESS, Map.of()).get(AgentDiary.PEAK_KB);
    return new RunResult.Scenario(
        scenario.name(),
        scenario.topology(),
        nodes.stackName(),
        vm.getAccelerator().toLowerCase(java.util.Locale.ROOT).contains("kvm") ? "kvm" : "tcg",
        nodes.links().description(),
        options.ramOnly ? "ram-only" : "full",
        options.outageTargetMs,
        options.downtimeLimitMs > 0 ? options.downtimeLimitMs : null,
        new RunResult.Vm(
            VM,
            options.memoryMb,
            image.diskBytes() / BYTES_PER_GB,
            options.ballastMb,
            peakKb == null ? null : Double.valueOf(Math.round(peakKb / 102.4) / 10.0)));
  }
}
