package io.xmig.testbed.evaluate;

import io.xmig.control.qemu.Accelerator;
import io.xmig.control.qemu.AcceleratorProbe;
import io.xmig.control.qemu.EpochMicros;
import io.xmig.control.qemu.VmDirectory;
import io.xmig.control.qemu.VmSpec;
import io.xmig.testbed.links.VethNet;
import io.xmig.testbed.run.Lab;
import io.xmig.testbed.run.Nodes;
import io.xmig.testbed.run.RunException;
import io.xmig.testbed.vm.GuestImage;
import io.xmig.testbed.vm.GuestImageBuilder;
import io.xmig.testbed.vm.GuestMain;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.LocalAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A setting, running: namespaces, nodes, the guest on one of two hosts, its clients on a third. The
 * guest is booted once and moves back and forth.
 *
 * @threading one thread
 */
final class Stage implements AutoCloseable {
  static final List<String> HOSTS = List.of("HOST_A", "HOST_B");
  static final String CLIENT = "HOST_C";

  private static final Duration START = Duration.ofSeconds(30);
  private static final Duration BOOT = Duration.ofSeconds(120);

  /** Of Xping and of the probes by IP alike, so that all modes carry the same load. */
  static final Duration PROBE_INTERVAL = Duration.ofMillis(100);

  /** Everything, with an image that has to be built. */
  static final Duration OPENING = Duration.ofMinutes(5);

  private static final Duration ANSWER = Duration.ofSeconds(20);
  private static final int SETTLE_MILLIS = 1000;
  private static final String PERF = "perf";
  private static final double DIRTY_SHARE = 0.4;
  private static final int MOST_DBENCH = 100;
  private static final int DBENCH_PAGES = 3;
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+([0-9]+) kB");

  private static final Duration CAL_INTERVAL = Duration.ofMillis(5);
  private static final Path DBENCH = Path.of("/usr/bin/dbench");
  private static final Path DBENCH_LOAD = Path.of("/usr/share/dbench/client.txt");

  private Setting setting;
  private final Lab lab;
  private final Nodes nodes;
  private final VethNet net;
  private final HostPipes pipes;
  private final Xid hid;
  private final Accelerator accelerator;
  private final GuestImage image;
  private Path disk;
  private GuestVm guest;
  private int at;
  private int started;
  private int moves;
  private int mostBallastMb;
  private Workload workload = Workload.IDLE;
  private final XiaPing xping;
  private final IpPing ping;

  private Stage(
      Setting setting,
      Lab lab,
      Nodes nodes,
      Accelerator accelerator,
      GuestImage image,
      Consumer<String> say)
      throws IOException {
    this.setting = setting;
    this.lab = lab;
    this.nodes = nodes;
    this.net = (VethNet) nodes.links();
    this.hid = nodes.identities().hid(Nodes.VM);
    this.accelerator = accelerator;
    this.image =
        image.forVm(lab.directory().resolve("images"), nodes.guestSecrets(Nodes.GUEST_NAME));
    disk = firstDisk();
    pipes = new HostPipes(lab, nodes);
    WarmTransfer warming = new WarmTransfer(pipes); // nobody measures while the guest boots
    guest = boot();
    say.accept(warming.result());
    ping = IpPing.start(net.prefix(CLIENT), net.guestAddress(), PROBE_INTERVAL);
    xping = new XiaPing(stackOf(CLIENT), addresses(), PROBE_INTERVAL);
    awaitAnswer();
  }

  /**
   * Brings everything up.
   *
   * @param library whether some cell wants libXsocket's interface on the hosts
   */
  static Stage open(Setting setting, boolean library, boolean keep, Consumer<String> say)
      throws IOException {
    GuestImageBuilder builder = GuestImageBuilder.ofThisProgram(say);
    if (setting.hasDisk()) {
      builder.disk(setting.diskMb());
      if (Files.isExecutable(DBENCH)) {
        builder.program(DBENCH, DBENCH_LOAD);
      }
    }
    GuestImage image = builder.build();
    AcceleratorProbe.Decision accelerator =
        new AcceleratorProbe(GuestImageBuilder.defaultCache()).decide(null, null, "", "");
    Lab lab = Lab.open(keep);
    try {
      Nodes nodes =
          Nodes.inNamespaces(lab, setting.scenario(), setting.mtu(), setting.shape(), library);
      return new Stage(setting, lab, nodes, accelerator.accelerator(), image, say);
    } catch (IOException | RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  /** Control socket of the resident pipes on a host. */
  Path pipesOf(String host) {
    return pipes.socket(host);
  }

  private List<LocalAddress> addresses() {
    return HOSTS.stream()
        .map(h -> new LocalAddress(nodes.network().ad(h), hid, null))
        .distinct()
        .toList();
  }

  private GuestVm boot() throws IOException {
    mostBallastMb = setting.ballastMb();
    GuestVm booting = startGuest(0, disk, false);
    try {
      booting.awaitConsole(GuestMain.READY, 0, BOOT);
      return booting;
    } catch (RuntimeException e) {
      booting.close();
      throw e;
    }
  }

  /**
   * Whether another migration can be measured here: every node runs, and so does the guest, which
   * answers.
   *
   * @return what is wrong, empty if nothing is
   */
  String trouble() {
    if (!dead().isEmpty()) {
      return "ended by itself: " + dead();
    }
    try {
      if (!guest.qemu().isAlive() || !guest.driver().runState().equals("running")) {
        return "the guest does not run";
      }
      long sinceUs = EpochMicros.now();
      long deadline = System.nanoTime() + ANSWER.toNanos();
      while (!xping.log().isAnsweredAfter(sinceUs)) {
        if (System.nanoTime() > deadline) {
          return "the guest does not answer";
        }
        pause(100);
      }
      return "";
    } catch (XiaException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private List<String> dead() {
    return lab.dead().stream().filter(n -> !n.equals(PERF)).toList();
  }

  /**
   * Boots the guest anew where it was first, idle; the nodes go on.
   *
   * @throws RunException if that does not help
   */
  void restartGuest() throws IOException {
    if (!dead().isEmpty()) {
      throw new RunException("a process has ended", Map.of("names", dead()));
    }
    lab.end(PERF);
    xping.stopAsking();
    workload = Workload.IDLE;
    guest.close();
    at = 0;
    Path used = disk;
    disk = firstDisk();
    guest = boot();
    if (!used.equals(disk)) {
      Files.deleteIfExists(used);
    }
    awaitAnswer();
  }

  private Path firstDisk() throws IOException {
    Path first = lab.directory().resolve("first-disk" + started++ + ".raw");
    if (setting.hasDisk()) {
      image.copyDisk(first);
    }
    return first;
  }

  /** The disk that the guest uses, shared by both hosts unless it is moved. */
  Path disk() {
    return disk;
  }

  /** A QEMU on a host: the first boots the guest, the others wait for it. */
  GuestVm startGuest(int host, Path disk, boolean incoming) throws IOException {
    VmDirectory files = nodes.vmDirectory(HOSTS.get(host));
    Map<String, String> environment = new TreeMap<>();
    environment.put("XMIG_PERF", "server");
    int mtu = net.guestMtu();
    if (mtu != 1500) {
      environment.put("MTU", Integer.toString(mtu));
    }
    String run =
        net.guestCommands()
            + "; exec /xmig/guest work"
            + (setting.ballastMb() > 0
                ? " ballast=" + setting.ballastMb() + " ballast-content=" + setting.content()
                : "");
    VmSpec spec =
        new VmSpec(
            "guest",
            setting.memoryMb(),
            image.kernel(),
            image.initrd(),
            image.commandLine(environment, run) + (setting.zeroed() ? " init_on_free=1" : ""),
            setting.hasDisk() ? disk : null,
            setting.hasDisk() ? Files.size(disk) : 0,
            new VmSpec.Nic(Nodes.GUEST_MAC, mtu == 1500 ? 0 : mtu, null, null, VethNet.TAP));
    return GuestVm.start(spec, files, accelerator, incoming, net.prefix(HOSTS.get(host)));
  }

  private void awaitAnswer() {
    long deadline = System.nanoTime() + START.toNanos();
    while (xping.log().answered() == 0 || ping.log(EpochMicros.now()).answered() == 0) {
      if (System.nanoTime() > deadline) {
        throw new RunException(
            "the guest does not answer",
            Map.of(
                "xping", xping.log().answered(),
                "fping", ping.log(EpochMicros.now()).answered(),
                "address", net.guestAddress()));
      }
      pause(100);
    }
  }

  /** What {@code --xia} says on a host. */
  String stackOf(String host) {
    return nodes.nodeOf(host);
  }

  /** The same through the C library. */
  String libraryOf(String host) {
    return nodes.libraryOf(host);
  }

  /** A host's address of a service. */
  String service(String host, Xid sid) {
    return nodes.network().local(host).service(sid).toString();
  }

  /** Has the guest do something from now on. */
  void work(Workload wanted, int dirtyMbPerSecond) {
    if (wanted == workload) {
      return;
    }
    switch (workload) {
      case DBENCH -> guest.shell("killall dbench");
      case DIRTY -> guest.shell("echo idle > " + GuestMain.WORK);
      case CALCULATION -> xping.stopAsking();
      case PERF -> lab.end(PERF);
      case IDLE -> {}
    }
    switch (wanted) {
      case DBENCH ->
          guest.shell(
              "mkdir -p /data; cd /data; dbench -c /xmig/client.txt -R "
                  + dbenchRate()
                  + " -t 100000 1 >/dev/null 2>&1 </dev/null &");
      case DIRTY ->
          guest.shell("echo dirty " + dirtying(dirtyMbPerSecond) + " > " + GuestMain.WORK);
      case CALCULATION -> xping.ask(addresses().get(0), CAL_INTERVAL);
      case PERF ->
          lab.launch(
              PERF,
              net.prefix(CLIENT),
              List.of(
                  "perf",
                  "client",
                  addresses().get(0).host().toString(),
                  "--test",
                  "rr",
                  "--seconds",
                  "3600",
                  "--xia",
                  stackOf(CLIENT)));
      case IDLE -> {}
    }
    workload = wanted;
    pause(SETTLE_MILLIS);
  }

  /**
   * The same network and guest with something else in its memory.
   *
   * @param wanted differs in nothing but the ballast
   * @throws RunException if the guest does not do it
   */
  void become(Setting wanted) {
    if (!wanted.equals(setting)) {
      refill(wanted);
    }
    if (setting.zeroed()) { // what was read from the disk meanwhile is not carried
      guest.shell("sync; echo 3 > /proc/sys/vm/drop_caches");
    }
  }

  private void refill(Setting wanted) {
    work(Workload.IDLE, 0);
    int said = guest.said().length();
    String words = wanted.content() + " " + wanted.ballastMb();
    guest.shell("echo fill " + words + " > " + GuestMain.WORK);
    guest.awaitConsole(GuestMain.FILLED + words, said, BOOT);
    setting = wanted;
    mostBallastMb = Math.max(mostBallastMb, wanted.ballastMb());
  }

  /** No path can carry what is dirtied faster than it carries. */
  private int dirtying(int wished) {
    long path = setting.bytesPerSecond();
    return path == 0 ? wished : (int) Math.max(1, Math.min(wished, DIRTY_SHARE * path / (1 << 20)));
  }

  /** MB/s of dbench, likewise: each of its bytes dirties several pages. */
  private int dbenchRate() {
    return Math.max(1, dirtying(MOST_DBENCH * DBENCH_PAGES) / DBENCH_PAGES);
  }

  /**
   * Most memory that the guest's process has had resident, in MiB, less the most that it was told
   * to fill: node, agent and the services that probes ask; NaN if it is not known.
   */
  double guestPeakMb() {
    guest.shell("grep VmHWM /proc/$(pidof java)/status");
    Matcher line = PEAK.matcher(guest.said());
    double peak = Double.NaN;
    while (line.find()) {
      peak = Long.parseLong(line.group(1)) / 1024.0 - mostBallastMb;
    }
    return peak;
  }

  /** What has become of what the guest was to do, empty if it does it. */
  String workTrouble() {
    return switch (workload) {
      case PERF ->
          lab.dead().contains(PERF) ? "the client of xmig perf has ended: " + lab.tail(PERF) : "";
      case DBENCH -> {
        guest.shell("pidof dbench >/dev/null && echo dbench r\"u\"ns");
        yield guest.hasSaid("dbench runs") ? "" : "dbench has ended in the guest";
      }
      default -> "";
    };
  }

  Setting setting() {
    return setting;
  }

  Lab lab() {
    return lab;
  }

  VethNet net() {
    return net;
  }

  XiaPing xping() {
    return xping;
  }

  IpPing ping() {
    return ping;
  }

  /** Another one, of the caller's. */
  IpPing fineIpPing(Duration interval) {
    return IpPing.start(net.prefix(CLIENT), net.guestAddress(), interval);
  }

  GuestVm guest() {
    return guest;
  }

  /** A number for a move: its files and port are its own. */
  int nextMove() {
    return ++moves;
  }

  /** Index of the host the guest is on. */
  int at() {
    return at;
  }

  /** The guest runs on the other host now, on this disk. */
  void moved(GuestVm there, Path on) throws IOException {
    guest = there;
    at = 1 - at;
    if (!on.equals(disk)) {
      Files.deleteIfExists(disk);
      disk = on;
    }
  }

  Map<String, String> namespaces() {
    Map<String, String> names = new TreeMap<>();
    nodes.names().forEach(n -> names.put(n, net.namespace(n)));
    names.put("link", net.namespace("wire"));
    return names;
  }

  static void pause(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RunException("interrupted", e);
    }
  }

  @Override
  public void close() {
    if (xping != null) {
      xping.close();
    }
    if (ping != null) {
      ping.close();
    }
    if (guest != null) {
      guest.close();
    }
    lab.close();
  }
}
