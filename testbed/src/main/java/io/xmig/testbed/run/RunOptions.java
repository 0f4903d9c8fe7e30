package io.xmig.testbed.run;

import io.xmig.testbed.links.PathShape;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a run can be told, the same for every scenario. */
public final class RunOptions {
  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Write result.json and report.html into this directory.")
  @Nullable Path report;

  @Option(
      names = "--migrations",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "How often the VM moves from host to host, and from the last to the first. Default: ${DEFAULT-VALUE}.")
  int migrations;

  @Option(
      names = "--ads",
      paramLabel = "N",
      description = "inter-ad: length of the chain of domains the VM moves through. Default: 2.")
  @Nullable Integer ads;

  @Option(
      names = "--client-ad",
      paramLabel = "N",
      description = "inter-ad: domain of HOST_C with the clients, from 1. Default: 1.")
  @Nullable Integer clientAd;

  @Option(
      names = "--name-server",
      paramLabel = "HOST",
      description = "Host of the name service. Default: HOST_A.")
  @Nullable String nameServer;

  @Option(
      names = "--attacker",
      description =
          "Plug somebody in at every segment who replays, alters and forges registrations, repoints,"
              + " routes, beacons and names of the VM all the while.")
  boolean attacker;

  @Option(
      names = "--agent",
      paramLabel = "WHERE",
      description = {
        "Who keeps the VM reachable: its own agent (guest); one on the host it runs on, to which its"
            + " owner's key has given leave (host); or the VM's own, for which the host says the"
            + " first word when it arrives (both).",
        "Default: both; guest with --xia libxsocket or --router click."
      })
  @Nullable AgentPlace agent;

  /** Where the agent of the VM runs. */
  enum AgentPlace {
    GUEST,
    HOST,
    BOTH;

    /** Whether hosts speak for the VM. */
    boolean onHost() {
      return this != GUEST;
    }
  }

  /** Who keeps the VM reachable. */
  AgentPlace agent() {
    if (agent != null) {
      return agent;
    }
    return xia.startsWith("node") && router.equals("node") ? AgentPlace.BOTH : AgentPlace.GUEST;
  }

  @Option(names = "--ram-only", description = "Migrate memory only; the VM has no disk.")
  boolean ramOnly;

  @Option(
      names = "--memory",
      paramLabel = "MB",
      defaultValue = "640",
      description = "Memory of the VM. Default: ${DEFAULT-VALUE}.")
  int memoryMb;

  @Option(
      names = "--ballast",
      paramLabel = "MB",
      defaultValue = "0",
      description = "Incompressible bytes that the VM holds in memory. Default: ${DEFAULT-VALUE}.")
  int ballastMb;

  @Option(
      names = "--dirty",
      paramLabel = "MB/S",
      defaultValue = "0",
      description = "Rate at which the VM rewrites ballast. Default: ${DEFAULT-VALUE}.")
  int dirtyMbPerSecond;

  @Option(
      names = "--disk",
      paramLabel = "MB",
      defaultValue = "64",
      description = "Data on the VM's 4 GB disk besides its system. Default: ${DEFAULT-VALUE}.")
  int diskMb;

  @Option(
      names = "--mtu",
      paramLabel = "BYTES",
      defaultValue = "1500",
      description = "MTU of all links. Default: ${DEFAULT-VALUE}.")
  int mtu;

  @Option(
      names = "--links",
      paramLabel = "user|veth",
      defaultValue = "user",
      description = {
        "user: datagram sockets, no privilege needed.",
        "veth: a network namespace per node, veth pairs, taps for the VM; needs root, without it"
            + " user-space links are taken.",
        "Default: ${DEFAULT-VALUE}."
      })
  String links;

  @Option(
      names = "--shape",
      paramLabel = "RATE,DELAY[,LOSS]",
      description = {
        "Emulated link between the hosts of the VM: rate each way, delay there and back, frames"
            + " lost each way; e.g. 1gbit,1ms or 100mbit,20ms,1%%.",
        "inter-ad: the link between the routers; intra-ad: HOST_B's. Others stay as they are."
      })
  @Nullable String shape;

  @Option(
      names = "--xia",
      paramLabel = "STACK",
      defaultValue = "node",
      description = {
        "How what runs on the hosts reaches its node: node (directly), or libxsocket[:PATH], the C"
            + " library of the prototype and Click's local protocol; PATH is a libXsocket.so,"
            + " default ours. Default: ${DEFAULT-VALUE}."
      })
  String xia = "node";

  @Option(
      names = "--router",
      paramLabel = "ROUTER",
      defaultValue = "node",
      description = {
        "What the routers are: node (ours), or click:PROGRAM[,DIRECTORY], the prototype's user-level"
            + " click; DIRECTORY has xia_router_lib.click, default ../conf beside the program."
            + " Default: ${DEFAULT-VALUE}."
      })
  String router = "node";

  @Option(
      names = "--outage-target",
      paramLabel = "MS",
      defaultValue = "150",
      description =
          "Outage to stay within, as of xmig migrate: the limits of QEMU and the bytes under way"
              + " follow from it and from the measured rate. Default: ${DEFAULT-VALUE}.")
  int outageTargetMs;

  @Option(
      names = "--downtime-limit",
      paramLabel = "MS",
      defaultValue = "0",
      description = "QEMU's downtime-limit; 0, the default, for what follows from the target.")
  int downtimeLimitMs;

  @Option(
      names = "--xping-interval",
      paramLabel = "MS",
      defaultValue = "5",
      description =
          "Time between two Xping probes: the error of the outage. Default: ${DEFAULT-VALUE}.")
  int xpingIntervalMs;

  @Option(
      names = "--cal-interval",
      paramLabel = "MS",
      defaultValue = "20",
      description = "Time between two questions to Cal. Default: ${DEFAULT-VALUE}.")
  int calIntervalMs;

  @Option(
      names = "--settle",
      paramLabel = "MS",
      defaultValue = "3000",
      description =
          "Time the VM is observed before the first and after every migration. Default: ${DEFAULT-VALUE}.")
  int settleMs;

  @Option(
      names = "--limit",
      paramLabel = "S",
      defaultValue = "300",
      description = "A migration may take this long. Default: ${DEFAULT-VALUE}.")
  int limitSeconds;

  @Option(
      names = "--keep",
      description = "Keep the run directory with the logs of every process, and say where it is.")
  boolean keep;

  @Option(
      names = "--json",
      description = "Print result.json on standard output instead of the summary.")
  boolean json;

  Duration settle() {
    return Duration.ofMillis(settleMs);
  }

  /** What the link between the hosts is like, {@code null} for as it is. */
  @Nullable PathShape pathShape() {
    return shape == null ? null : PathShape.parse(shape);
  }

  /** What is wrong with the numbers given, or {@code null}. */
  @Nullable String problem() {
    if (migrations < 1 || migrations > 1000) {
      return "--migrations must be 1 to 1000, not " + migrations;
    }
    if (agent().onHost() && !xia.startsWith("node")) {
      return "--agent host and both need --xia node: they listen to QEMU from within the host's node";
    }
    if (attacker && !links.equals("user")) {
      return "--attacker needs --links user: it is plugged in beside the VM";
    }
    if (memoryMb < 256) {
      return "--memory must be at least 256, not "
          + memoryMb
          + ": the guest image does not fit into less";
    }
    if (ballastMb < 0 || ballastMb > memoryMb - 320) {
      return "--ballast must leave 320 MB of the VM's "
          + memoryMb
          + " to the guest, not "
          + ballastMb;
    }
    if (diskMb < 0 || diskMb > 3000 || mtu < 1024 || mtu > 65_535) {
      return "--disk must be 0 to 3000 and --mtu 1024 to 65535";
    }
    if (!router.equals("node") && !ClickProgram.isNamed(router)) {
      return "--router must be node or click:PROGRAM[,DIRECTORY], not " + router;
    }
    if (!xia.matches("node|libxsocket(:[^@]*)?")) {
      return "--xia must be node or libxsocket[:PATH], not " + xia;
    }
    if (dirtyMbPerSecond < 0 || dirtyMbPerSecond > 0 && ballastMb == 0) {
      return "--dirty needs --ballast and must not be negative";
    }
    if (downtimeLimitMs < 0 || outageTargetMs < 1) {
      return "--downtime-limit must not be negative, --outage-target at least 1";
    }
    if (xpingIntervalMs < 1 || calIntervalMs < 1 || limitSeconds < 1) {
      return "times must be at least 1";
    }
    if (!links.equals("user") && !links.equals("veth")) {
      return "--links is user or veth, not '" + links + "'";
    }
    if (!router.equals("node") && (links.equals("veth") || shape != null)) {
      return "--router click goes with --links user and the topology's own rates and delays";
    }
    if (links.equals("veth") && xia.startsWith("libxsocket")) {
      return "--xia libxsocket needs --links user: the library's nodes are found on the loopback";
    }
    try {
      pathShape();
    } catch (IllegalArgumentException e) {
      return "--shape: " + e.getMessage();
    }
    if (settleMs < 500) {
      return "--settle must be at least 500: answers before and after are part of the verdict";
    }
    return null;
  }

  /**
   * Takes user-space links where namespaces cannot be had.
   *
   * @param missing why they cannot, empty if they can
   * @return what to say about it, empty if there is nothing to say
   */
  String withLinksThatAreThere(Supplier<String> missing) {
    String why = links.equals("veth") ? missing.get() : "";
    if (why.isEmpty()) {
      return "";
    }
    links = "user";
    return "no --links veth: " + why + "; going on with --links user, which needs no privilege";
  }
}
