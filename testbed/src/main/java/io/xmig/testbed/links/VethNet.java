package io.xmig.testbed.links;

import io.xmig.xia.click.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A network namespace per node, veth pairs between them, a tap per host for its VM; a shaped link
 * is {@code xmig link} between two taps, so that whatever protocol crosses the very same emulation.
 * Needs root.
 *
 * <p>Names of namespaces begin with that of the run's directory, which has the runner's process id
 * in it: {@link #removeAbandoned} finds what a killed runner left.
 */
public final class VethNet implements Net {
  private static final Logger LOG = LoggerFactory.getLogger(VethNet.class);

  /** Which congestion controls TCP sockets of this machine may choose. */
  private static final Path ALLOWED = Path.of("/proc/sys/net/ipv4/tcp_allowed_congestion_control");

  /** The tap of a host's VM. */
  public static final String TAP = NetPlan.TAP;

  private static final Pattern OURS =
      Pattern.compile("(xmig-run-([0-9]{1,10})-[0-9]+)-.*|xmig-probe-([0-9]{1,10})");
  private static final Duration EMULATOR_START = Duration.ofSeconds(20);
  private static final Duration CARRIER_LIMIT = Duration.ofSeconds(5);
  private static final String WIRE = "wire";

  private final String run;
  private final List<String> nodes;
  private final NetPlan plan;
  private @Nullable String allowedBefore;
  private final int mtu;
  private final @Nullable PathShape shape;

  private VethNet(
      String run, List<String> nodes, NetPlan plan, int mtu, @Nullable PathShape shape) {
    this.run = run;
    this.nodes = nodes;
    this.plan = plan;
    this.mtu = mtu;
    this.shape = shape;
  }

  /**
   * Makes the namespaces and everything in them.
   *
   * @param directory of the run, {@code …/xmig-run-PID-NUMBER}
   * @param nodes those of the topology that are wanted
   * @param hosts those that can run the VM; it starts on the first
   * @param guestMac of the VM's network card
   * @throws NetException if that is not possible here; nothing is left then
   */
  public static VethNet make(
      Topology topology,
      Path directory,
      List<String> nodes,
      List<String> hosts,
      String guestMac,
      int mtu,
      @Nullable PathShape shape,
      Starter starter) {
    String missing = Namespaces.missing();
    if (!missing.isEmpty()) {
      throw new NetException(
          "--links veth: " + missing + "; --links user needs no privilege", Map.of());
    }
    VethNet net =
        new VethNet(
            directory.getFileName().toString(),
            List.copyOf(nodes),
            new NetPlan(topology, nodes, hosts, guestMac, shape),
            mtu,
            shape);
    try {
      net.build(starter);
      return net;
    } catch (RuntimeException e) {
      net.close();
      throw e;
    }
  }

  private void build(Starter starter) {
    for (String node : nodes) {
      String space = namespace(node);
      Namespaces.add(space);
      settings(space);
      Namespaces.batch(space, plan.devices(node, mtu));
    }
    int number = 0;
    for (NetPlan.Cable cable : plan.cables()) {
      if (cable.shape() == null) {
        Namespaces.batch(
            namespace(cable.a().node()),
            List.of(
                String.format(
                    "link add %s mtu %d type veth peer name %s mtu %d netns %s",
                    cable.a().device(),
                    mtu,
                    cable.b().device(),
                    mtu,
                    namespace(cable.b().node()))));
      } else {
        emulate(cable, number++, starter);
      }
    }
    for (String node : nodes) {
      Namespaces.batch(namespace(node), plan.joined(node, linkMtu()));
      Namespaces.bridgeBatch(namespace(node), plan.forwarding(node));
    }
    awaitCarriers();
  }

  /** The kernel lets frames through only once it has looked at an interface that came up. */
  private void awaitCarriers() {
    long deadline = System.nanoTime() + CARRIER_LIMIT.toNanos();
    for (NetPlan.Cable cable : plan.cables()) {
      for (NetPlan.Plug plug : List.of(cable.a(), cable.b())) {
        while (!Namespaces.carries(namespace(plug.node()), plug.device())) {
          if (System.nanoTime() > deadline) {
            throw new NetException(
                "an interface does not come up",
                Map.of("namespace", namespace(plug.node()), "interface", plug.device()));
          }
          Namespaces.pause();
        }
      }
    }
  }

  private void emulate(NetPlan.Cable cable, int number, Starter starter) {
    if (number == 0) {
      Namespaces.add(namespace(WIRE));
    }
    String a = "w" + number + "a";
    String b = "w" + number + "b";
    String name = "link-" + cable.a().node() + "-" + cable.b().node();
    PathShape wanted = java.util.Objects.requireNonNull(cable.shape());
    starter.launch(
        name,
        Namespaces.prefix(namespace(WIRE)),
        List.of(
            "link",
            "tap:" + a,
            "tap:" + b,
            "--shape",
            wanted.eachWayText(),
            "--mtu",
            Integer.toString(linkMtu())));
    starter.awaitReady(name, "ready", EMULATOR_START);
    Namespaces.batch(
        namespace(WIRE),
        List.of(
            "link set " + a + " down",
            "link set " + b + " down",
            "link set "
                + a
                + " netns "
                + namespace(cable.a().node())
                + " name "
                + cable.a().device(),
            "link set "
                + b
                + " netns "
                + namespace(cable.b().node())
                + " name "
                + cable.b().device()));
  }

  /** IPv6 would chatter on the links; routers forward IPv4. */
  private static void settings(String namespace) {
    Namespaces.in(
        namespace,
        List.of(
            "sh",
            "-c",
            "cd /proc/sys/net; echo 1 > ipv4/ip_forward;"
                + " echo 0 > ipv4/conf/all/rp_filter; echo 0 > ipv4/conf/default/rp_filter;"
                + " [ ! -d ipv6 ] || echo 1 > ipv6/conf/all/disable_ipv6;"
                + " [ ! -d ipv6 ] || echo 1 > ipv6/conf/default/disable_ipv6"));
  }

  /** The name of a node's namespace. */
  public String namespace(String node) {
    return run + "-" + node;
  }

  /** A tap carries less than a veth pair; a run with emulated links uses what both can. */
  private int linkMtu() {
    return shape == null ? mtu : Math.min(mtu, NetPlan.TAP_MTU);
  }

  @Override
  public List<String> prefix(String node) {
    return Namespaces.prefix(namespace(node));
  }

  @Override
  public List<String> nodeOptions() {
    return List.of("--devices", "eth", "--mtu", Integer.toString(linkMtu()));
  }

  @Override
  public String nic(String host) {
    return "tap:" + NetPlan.TAP;
  }

  @Override
  public int guestMtu() {
    return Math.min(mtu, NetPlan.TAP_MTU);
  }

  /** IPv4 address of a host. */
  public String address(String host) {
    return plan.ip().host(host);
  }

  /** IPv4 address of the VM. */
  public String guestAddress() {
    return plan.guestAddress();
  }

  /** Bytes of frames that have come into a host over its cable. */
  public long bytesInto(String host) {
    long sum = 0;
    for (NetPlan.Cable cable : plan.cables()) {
      for (NetPlan.Plug plug : List.of(cable.a(), cable.b())) {
        if (plug.node().equals(host)) {
          sum +=
              Long.parseLong(
                  Namespaces.in(
                      namespace(host),
                      List.of("cat", "/sys/class/net/" + plug.device() + "/statistics/rx_bytes")));
        }
      }
    }
    return sum;
  }

  /** Whether something listens on a TCP port of a host. */
  public boolean listens(String host, int port) {
    String hex = String.format(":%04X ", port);
    return Namespaces.in(namespace(host), List.of("cat", "/proc/net/tcp"))
        .lines()
        .anyMatch(l -> l.contains(hex + "00000000:0000 0A"));
  }

  /** Sets the congestion control of a host's TCP. */
  public void congestionControl(String host, String name) {
    allow(name);
    Namespaces.in(
        namespace(host),
        List.of("sh", "-c", "echo " + name + " > /proc/sys/net/ipv4/tcp_congestion_control"));
  }

  /** A namespace gets only what the whole machine allows; that is undone at the end. */
  private void allow(String name) {
    try {
      String allowed = Files.readString(ALLOWED).strip();
      if (!List.of(allowed.split("\\s+")).contains(name)) {
        if (allowedBefore == null) {
          allowedBefore = allowed;
        }
        Files.writeString(ALLOWED, allowed + " " + name);
      }
    } catch (IOException e) {
      throw new NetException(
          "this kernel does not let TCP use " + name,
          Map.of("why", String.valueOf(e.getMessage())));
    }
  }

  private void disallow() {
    if (allowedBefore != null) {
      try {
        Files.writeString(ALLOWED, allowedBefore);
      } catch (IOException e) {
        LOG.warn("{} could not be set back to \"{}\": {}", ALLOWED, allowedBefore, e.getMessage());
      }
    }
  }

  /** What the VM's init has to run to take part in IP. */
  public String guestCommands() {
    return plan.guestCommands();
  }

  @Override
  public void nodesRun() {
    // the links are as they should be from the start
  }

  @Override
  public String description() {
    return "veth, MTU "
        + linkMtu()
        + ", "
        + (shape == null ? "not shaped" : shape.text() + " (round trip)");
  }

  @Override
  public void close() {
    disallow();
    List<String> all = new ArrayList<>(nodes);
    all.add(WIRE);
    all.forEach(node -> Namespaces.remove(namespace(node)));
  }

  /**
   * Removes the namespaces of runs whose runner is gone, with the processes in them.
   *
   * @return the names of the runs
   */
  public static Set<String> removeAbandoned() {
    Set<String> runs = new TreeSet<>();
    for (String name : Namespaces.named("xmig-")) {
      Matcher parts = OURS.matcher(name);
      if (!parts.matches()) {
        continue;
      }
      boolean probe = parts.group(2) == null;
      if (ProcessHandle.of(Long.parseLong(parts.group(probe ? 3 : 2))).isEmpty()) {
        Namespaces.remove(name);
        runs.add(probe ? name : parts.group(1));
      }
    }
    return runs;
  }
}
