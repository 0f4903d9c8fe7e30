package io.xmig.testbed.run;

import io.xmig.control.host.v1.MigrateRequest;
import io.xmig.control.host.v1.NicAttachment;
import io.xmig.control.host.v1.Progress;
import io.xmig.control.host.v1.StartVmRequest;
import io.xmig.control.host.v1.VmInfo;
import io.xmig.testbed.net.Net;
import io.xmig.testbed.report.RunResult;
import io.xmig.testbed.vm.GuestImage;
import io.xmig.testbed.vm.GuestImageBuilder;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
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

/**
 * One experiment from an empty directory to its result: nodes, hosts, VM, clients, migrations,
 * verdict.
 */
final class Experiment {
  private static final String VM = "vm";
  static final String MAC = "52:54:00:78:6d:69";
  private static final Xid VM_HID = Xid.parse("HID:7669727475616c206d616368696e652031000001");
  private static final Duration NODE_START = Duration.ofSeconds(30);
  private static final Duration BOOT = Duration.ofSeconds(90);
  private static final Duration LAST_ANSWERS = Duration.ofMillis(700);
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
    long startUs = Hypervisors.nowUs();
    GuestImage image = image();
    try (Lab lab = Lab.open(options.keep)) {
      if (options.keep) {
        say.accept("logs and sockets: " + lab.directory());
      }
      Topology topology = Topology.load(scenario.topology());
      Network network = new Network(lab, scenario, options);
      network.start();
      say.accept(
          "network up: "
              + String.join(", ", scenario.nodes())
              + " ("
              + network.links().description()
              + ")");
      try (Hypervisors hypervisors = startHosts(lab, network)) {
        String first = scenario.hosts().get(0);
        VmInfo vm = hypervisors.start(first, startRequest(lab, network.links(), image));
        say.accept(
            "VM started on "
                + first
                + " ("
                + vm.getAccelerator()
                + ": "
                + vm.getAcceleratorReason()
                + ")");
        try (Clients clients = new Clients(network.open(scenario.client()))) {
          return observe(startUs, lab, network, topology, image, hypervisors, clients, vm);
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

  private Hypervisors startHosts(Lab lab, Network network) {
    for (int i = 0; i < scenario.hosts().size(); i++) {
      String host = scenario.hosts().get(i);
      lab.launch(
          "host-" + host,
          network.links().prefix(host),
          List.of(
              "host",
              "--xia",
              network.stackOf(host),
              "--state",
              lab.directory().resolve(host).toString(),
              "--nic",
              network.links().nic(host)));
    }
    Hypervisors hypervisors = new Hypervisors();
    for (String host : scenario.hosts()) {
      lab.awaitReady("host-" + host, "host service ready", NODE_START);
      hypervisors.join(host, lab.directory().resolve(host));
    }
    return hypervisors;
  }

  private StartVmRequest startRequest(Lab lab, Net net, GuestImage image) throws IOException {
    Map<String, String> environment = new TreeMap<>();
    environment.put("XMIG_HID", VM_HID.toString());
    environment.put("XMIG_NAME", VM + ".xia");
    int mtu = net.guestMtu();
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
            .setKernel(image.kernel().toString())
            .setInitrd(image.initrd().toString())
            .setAppend(image.commandLine(environment, run.toString()))
            .setMac(MAC)
            .setHostMtu(mtu == 1500 ? 0 : mtu)
            .setNic(attachment(net.nic(scenario.hosts().get(0))));
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
      Network network,
      Topology topology,
      GuestImage image,
      Hypervisors hypervisors,
      Clients clients,
      VmInfo vm)
      throws IOException {
    LocalAddress address = new LocalAddress(adOf(topology, scenario.hosts().get(0)), VM_HID, null);
    clients.awaitService(address, BOOT);
    say.accept("the service in the VM answers at " + address.host());
    clients.ping("VM", address.host(), Duration.ofMillis(options.xpingIntervalMs));
    clients.ask(address, Duration.ofMillis(options.calIntervalMs));
    Clients.pause(options.settleMs);
    List<MigrationRecord> migrations = new ArrayList<>();
    try {
      for (int i = 0; i < options.migrations; i++) {
        migrations.add(migrate(i, network, topology, hypervisors));
        Clients.pause(options.settleMs);
      }
      String last = scenario.hosts().get(scenario.hostAfter(options.migrations));
      String state = hypervisors.state(last, VM);
      if (!state.equals("running")) {
        problems.add("the VM is " + state + " on " + last + " after the last migration");
      }
    } catch (RunException e) {
      problems.add(e.getMessage());
    }
    problems.addAll(lab.dead().stream().map(name -> name + " ended during the run").toList());
    clients.finish(LAST_ANSWERS);
    RunResult result =
        new ResultBuilder(
                startUs,
                describe(image, network, vm),
                MachineInfo.read("qemu-system-x86_64"),
                migrations,
                clients.calOutcomes(),
                clients.pingLogs())
            .build(Hypervisors.nowUs(), problems);
    stopQuietly(hypervisors);
    return result;
  }

  private static Xid adOf(Topology topology, String host) {
    Xid ad = topology.node(host).ad();
    if (ad == null) {
      throw new RunException("the topology gives no domain", Map.of("host", host));
    }
    return ad;
  }

  private MigrationRecord migrate(
      int index, Network network, Topology topology, Hypervisors hypervisors) throws IOException {
    String from = scenario.hosts().get(scenario.hostAfter(index));
    String to = scenario.hosts().get(scenario.hostAfter(index + 1));
    say.accept("migration " + (index + 1) + " of " + options.migrations + ": " + from + " → " + to);
    MigrateRequest.Builder wishes =
        MigrateRequest.newBuilder()
            .setRamOnly(options.ramOnly)
            .setDowntimeLimitMs(options.downtimeLimitMs)
            .setMaxBandwidth(10L << 30);
    Xid hid = topology.node(to).hid();
    String address = new LocalAddress(adOf(topology, to), hid, null).host().toString();
    String downlink = scenario.downlinks().get(scenario.hosts().indexOf(to));
    String router = downlink.substring(0, downlink.indexOf('/'));
    try (XiaStack stack = network.inspect(router)) {
      long before = bytesOut(stack, downlink);
      MigrationRecord record =
          hypervisors.migrate(
              VM, from, to, address, wishes, Duration.ofSeconds(options.limitSeconds), this::show);
      view.done();
      return record.withWireBytes(Math.max(0, bytesOut(stack, downlink) - before));
    }
  }

  private void show(long atUs, Progress progress) {
    view.update(progress);
  }

  /**
   * Bytes of frames that have come from the router into a host's segment; 0 where the stack does
   * not tell.
   */
  private static long bytesOut(XiaStack stack, String downlink) {
    java.util.concurrent.CompletableFuture<String> read =
        new java.util.concurrent.CompletableFuture<>();
    stack
        .loop()
        .execute(
            () ->
                stack
                    .readHandler(downlink + ".counters")
                    .whenComplete((text, failure) -> read.complete(failure != null ? "" : text)));
    Matcher matcher = BYTES_OUT.matcher(read.join());
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

  private RunResult.Scenario describe(GuestImage image, Network network, VmInfo vm)
      throws IOException {
    return new RunResult.Scenario(
        scenario.name(),
        scenario.topology().getFileName().toString(),
        network.stackName(),
        vm.getAccelerator().toLowerCase(java.util.Locale.ROOT).contains("kvm") ? "kvm" : "tcg",
        network.links().description(),
        options.ramOnly ? "ram-only" : "full",
        options.downtimeLimitMs,
        new RunResult.Vm(
            VM, options.memoryMb, image.diskBytes() / BYTES_PER_GB, options.ballastMb));
  }
}
