package io.xmig.adapt.cli;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.guest.GuestFollower;
import io.xmig.adapt.guest.QmpFollower;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.service.AgentStatus;
import io.xmig.adapt.service.StatusWriter;
import io.xmig.adapt.signal.Location;
import io.xmig.control.qemu.QemuException;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.cli.TimeSpan;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.ipc.NodeStackProvider;
import io.xmig.xia.wire.EthernetFlyweight;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code xmig agent}. */
@Command(
    name = "agent",
    mixinStandardHelpOptions = true,
    subcommands = AgentStatusCommand.class,
    description = {
      "Keep this host reachable wherever it wakes up, until SIGTERM.",
      "",
      "Configures it from beacons, registers it with the gateway and its names with the name"
          + " service, and has its old addresses redirected.",
      ""
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:told to end", "1:the node is gone or refused", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig agent --key keys/3fa9… --trust-file ads.txt --name vm.xia --name cal.xia=SID:…",
      "  xmig agent --accept-unsigned --name vm.xia      (as the prototype's hosts)",
      "  xmig agent --guest HID:… --key keys/host --mandate vm.leave --qmp vm.qmp --former AD:…",
      "  xmig agent status"
    })
public final class AgentCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(AgentCommand.class);

  @Spec private @Nullable CommandSpec spec;
  @Mixin private StackOption xia = new StackOption();
  @Mixin private TrustOptions trust = new TrustOptions();

  @Option(
      names = "--name",
      paramLabel = "NAME[=SID]",
      description = "Name to keep registered, for the host or one of its services; repeatable.")
  private List<String> names = new ArrayList<>();

  @Option(
      names = "--mac",
      paramLabel = "ETH",
      description = "Ethernet address of the host. Default: what the node says.")
  private @Nullable String mac;

  @Option(
      names = "--lifetime",
      paramLabel = "TIME",
      defaultValue = "60s",
      converter = TimeSpan.class,
      description = "Lifetime of a registration; refreshed in time. Default: ${DEFAULT-VALUE}.")
  private Duration lifetime = Duration.ofSeconds(60);

  @Option(
      names = "--status-file",
      paramLabel = "FILE",
      description =
          "Where 'xmig agent status' looks. Default: agent-HID.status in the runtime"
              + " directory.")
  private @Nullable Path statusFile;

  @Option(
      names = "--guest",
      paramLabel = "HID",
      description =
          "Speak for this guest of the host, which runs no agent, instead of the host; takes"
              + " --key of the host and --mandate of the guest.")
  private @Nullable String guest;

  @Option(
      names = "--qmp",
      paramLabel = "SOCKET",
      description = "QMP socket of the guest's QEMU: act when it runs, fall silent when it stops.")
  private @Nullable Path qmp;

  @Option(
      names = "--plug",
      paramLabel = "SWITCH=SOCKET",
      description =
          "Where the guest's network card is plugged in: the switch, and QEMU's own socket. So it"
              + " hears the host's first word also when it has never spoken there.")
  private @Nullable String plug;

  @Option(
      names = "--home-gateway",
      paramLabel = "HID[=ETH]",
      description =
          "Gateway that the guest goes on talking to, and its Ethernet address; repeatable. For a"
              + " guest that follows no beacons its home's; with --own-agent those of the domains it"
              + " may come from.")
  private List<String> homes = new ArrayList<>();

  @Option(
      names = "--own-agent",
      description =
          "The guest runs an agent itself: say where it is when it arrives, leave the rest to it.")
  private boolean ownAgent;

  @Option(
      names = "--delegated",
      description =
          "Hosts hold a leave to speak for this one (xmig key delegate): after a move, let the one"
              + " that says so have the first word.")
  private boolean delegated;

  @Option(
      names = "--former",
      paramLabel = "AD",
      description = "Domain that the guest comes from, newest first; repeatable.")
  private List<String> former = new ArrayList<>();

  /** Where the agent of a host keeps its status unless told otherwise. */
  static Path defaultStatusFile(Xid hid) {
    return NodeStackProvider.runtimeDirectory()
        .resolve("agent-" + hid.idHex().substring(0, 12) + ".status");
  }

  /**
   * What the options say.
   *
   * @param nodeMac Ethernet address of the node, 0 if it does not say
   */
  AgentConfig config(long nodeMac) {
    long givenMac = parseMac();
    return AgentConfig.unsigned()
        .withSigner(trust.signer(), trust.mandate())
        .withTrust(trust.trust())
        .withAcceptUnsigned(trust.acceptUnsigned())
        .withNames(parseNames())
        .withMac(givenMac != 0 || guest != null ? givenMac : nodeMac)
        .withLifetime(lifetime)
        .withGuest(parseGuest())
        .withFormerAds(former.stream().map(text -> xid("--former", text, XidType.AD)).toList())
        .withDelegated(delegated);
  }

  /** Plugs the guest's network card in at the node of this stack. */
  Runnable plugIn(XiaStack stack) {
    String given = plug;
    if (given == null) {
      return () -> {};
    }
    int equals = given.indexOf('=');
    if (equals < 1) {
      throw trust.usage("--plug: no SWITCH=SOCKET: " + given);
    }
    String handler = given.substring(0, equals) + "/plug.expect";
    String socket = given.substring(equals + 1);
    return () ->
        stack
            .writeHandler(handler, socket)
            .whenComplete(
                (done, error) -> {
                  if (error != null) { // it is plugged in when it first speaks
                    LOG.warn("cannot plug in {}: {}", socket, error.getMessage());
                  }
                });
  }

  /** QMP socket of the guest to follow, {@code null} for none. */
  @Nullable Path qmp() {
    return qmp;
  }

  @Override
  public Integer call() {
    config(0); // wrong options are told without a node too
    try (XiaStack stack = xia.open()) {
      Xid hid =
          Running.call(stack, () -> CompletableFuture.completedFuture(stack.localAddress().hid()));
      AgentConfig config = config(Running.call(stack, () -> macOf(stack, hid)));
      AgentConfig.Guest who = config.guest();
      Path file =
          statusFile == null ? defaultStatusFile(who == null ? hid : who.hid()) : statusFile;
      config = config.withFormerAds(remembered(file, config.formerAds()));
      if (qmp != null) {
        return follow(stack, config, qmp, file);
      }
      Agent agent;
      try {
        agent = Running.await(AdaptServices.agent(stack, config));
      } catch (IllegalArgumentException e) {
        throw trust.usage("--key: " + e.getMessage());
      }
      try (StatusWriter status = new StatusWriter(agent, stack, file)) {
        if (spec != null) {
          spec.commandLine().getOut().println("agent of " + hid + ", status in " + file);
          spec.commandLine().getOut().flush();
        }
        Runnable removeStatus = status::close;
        return Running.untilEnd(
            stack,
            () -> {
              agent.close();
              removeStatus.run();
            });
      }
    }
  }

  /** An agent that is started again goes on where its predecessor's status file left off. */
  private static List<Xid> remembered(Path file, List<Xid> given) {
    List<Xid> all = new ArrayList<>(given);
    try {
      AgentStatus before = AgentStatus.read(file);
      if (before.ad() != null) {
        all.add(Xid.parse(before.ad()));
      }
      before.redirected().keySet().forEach(ad -> all.add(Xid.parse(ad)));
    } catch (IOException | DagParseException e) {
      return given; // the first one here
    }
    return all.stream().distinct().toList();
  }

  private int follow(XiaStack stack, AgentConfig config, Path socket, Path file) {
    if (config.guest() == null) {
      throw trust.usage("--qmp takes --guest");
    }
    GuestFollower follower =
        new GuestFollower(config, changed -> AdaptServices.newAgent(stack, changed), plugIn(stack));
    try (QmpFollower events = new QmpFollower(socket, stack.loop(), follower);
        StatusWriter status = new StatusWriter(follower::agent, stack, file)) {
      if (spec != null) {
        spec.commandLine()
            .getOut()
            .println("following " + config.guest().hid() + ", status in " + file);
        spec.commandLine().getOut().flush();
      }
      Runnable endStatus = status::close;
      return Running.untilEnd(
          stack,
          () -> {
            follower.close();
            endStatus.run();
          },
          events.gone());
    } catch (QemuException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT, "--qmp: " + e.getMessage(), Map.of("socket", socket), e);
    }
  }

  private AgentConfig.@Nullable Guest parseGuest() {
    if (guest == null) {
      return null;
    }
    List<Location.Home> believed = homes.stream().map(this::parseHome).toList();
    if (believed.size() > Location.MAX_HOMES) {
      throw trust.usage("--home-gateway: at most " + Location.MAX_HOMES);
    }
    return new AgentConfig.Guest(xid("--guest", guest, XidType.HID), believed, ownAgent);
  }

  private Location.Home parseHome(String text) {
    String[] parts = text.split("=", 2);
    long homeMac = 0;
    if (parts.length == 2) {
      try {
        homeMac = EthernetFlyweight.parseMac(parts[1]);
      } catch (IllegalArgumentException e) {
        throw trust.usage("--home-gateway: " + e.getMessage());
      }
    }
    return new Location.Home(xid("--home-gateway", parts[0], XidType.HID), homeMac);
  }

  private Xid xid(String option, String text, XidType type) {
    try {
      Xid xid = Xid.parse(text);
      if (xid.is(type)) {
        return xid;
      }
    } catch (DagParseException e) {
      throw trust.usage(option + ": " + e.getMessage());
    }
    throw trust.usage(option + ": expected " + type + ":…, not " + text);
  }

  /**
   * The Ethernet address of a node's first port; completes with 0 if it does not say: then the
   * agent takes one question more to be sure that it was moved.
   */
  static CompletableFuture<Long> macOf(XiaStack stack, Xid hid) {
    return stack
        .readHandler("./xlc/xarpr.table")
        .thenApply(table -> macIn(table, hid))
        .exceptionally(error -> 0L);
  }

  private static long macIn(String table, Xid hid) {
    for (String line : table.split("\n", -1)) {
      String[] words = line.trim().split("\\s+", -1);
      if (words.length >= 2 && words[0].equals(hid.toString())) {
        return EthernetFlyweight.parseMac(words[1]);
      }
    }
    return 0;
  }

  private long parseMac() {
    if (mac == null) {
      return 0;
    }
    try {
      return EthernetFlyweight.parseMac(mac);
    } catch (IllegalArgumentException e) {
      throw trust.usage("--mac: " + e.getMessage());
    }
  }

  private Map<String, @Nullable Xid> parseNames() {
    Map<String, @Nullable Xid> wanted = new TreeMap<>();
    for (String item : names) {
      int equals = item.indexOf('=');
      String name = equals < 0 ? item : item.substring(0, equals);
      if (name.isBlank()) {
        throw trust.usage("--name: empty name in '" + item + "'");
      }
      try {
        Xid sid = equals < 0 ? null : Xid.parse(item.substring(equals + 1));
        if (sid != null && !sid.is(XidType.SID)) {
          throw trust.usage("--name: expected a SID behind '=', not " + sid);
        }
        wanted.put(name, sid);
      } catch (DagParseException e) {
        throw trust.usage("--name: " + e.getMessage());
      }
    }
    return wanted;
  }
}
