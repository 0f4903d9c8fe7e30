package io.xmig.testbed.run;

import io.xmig.testbed.net.Net;
import io.xmig.testbed.net.UserNet;
import io.xmig.testbed.net.VethNet;
import io.xmig.xia.click.Topology;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.libxsocket.LibraryCheck;
import io.xmig.xia.socket.libxsocket.LibraryFinder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a run, one process each, with the services of their domain: takes the topology,
 * gives everything above it the stack of each host.
 *
 * <p>With {@code --xia libxsocket} nothing but the nodes themselves knows that they are ours: what
 * runs on a host reaches it through the C library and Click's local protocol, and through the
 * ControlSocket.
 */
final class Network {
  private static final Duration START = Duration.ofSeconds(30);
  private static final String LIBRARY = "libxsocket";

  private final Lab lab;
  private final Scenario scenario;
  private final RunOptions options;
  private @Nullable Net links;

  Network(Lab lab, Scenario scenario, RunOptions options) {
    this.lab = lab;
    this.scenario = scenario;
    this.options = options;
  }

  /**
   * Looks at what the options name before anything is started.
   *
   * @throws io.xmig.xia.XiaException when it cannot be used, with what to do
   */
  static void check(RunOptions options) {
    if (throughLibrary(options)) {
      String path = options.xia.substring(Math.min(options.xia.length(), LIBRARY.length() + 1));
      LibraryFinder.Found library = LibraryFinder.find(path.isEmpty() ? null : path);
      LibraryCheck.of(library.path()).requireUsable();
    }
  }

  /** Makes the links, starts every node and its services; returns when they serve. */
  void start() {
    Net made = lab.own(makeLinks(Topology.load(scenario.topology())));
    links = made;
    for (String node : scenario.nodes()) {
      lab.launch(node, made.prefix(node), nodeWords(node, made));
    }
    scenario.nodes().forEach(node -> lab.awaitReady(node, "\nready", START));
    made.nodesRun();
    if (throughLibrary()) {
      scenario.nodes().stream().filter(node -> !isGateway(node)).forEach(this::startServices);
    }
  }

  private Net makeLinks(Topology topology) {
    return options.links.equals("veth")
        ? VethNet.make(
            topology,
            lab.directory(),
            scenario.nodes(),
            scenario.hosts(),
            Experiment.MAC,
            options.mtu,
            options.pathShape(),
            lab)
        : new UserNet(
            topology,
            lab.directory(),
            scenario.hosts(),
            scenario.lans(),
            options.mtu,
            options.pathShape());
  }

  /** What joins the nodes; there once they run. */
  Net links() {
    return java.util.Objects.requireNonNull(links, "not started");
  }

  private List<String> nodeWords(String node, Net net) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "node",
                scenario.topology().toString(),
                "--run",
                lab.directory().toString(),
                "--only",
                node));
    words.addAll(net.nodeOptions());
    if (isGateway(node) || !throughLibrary()) {
      for (String service : servicesOf(node)) {
        words.addAll(List.of("--with", node + "=" + service));
      }
    } else {
      words.addAll(List.of("--api-ports", "0", "--control", "0"));
    }
    return words;
  }

  /**
   * Services that use the library are processes of their own: it talks to one Click per process.
   */
  private void startServices(String node) {
    for (String service : servicesOf(node)) {
      String name = service + "-" + node;
      List<String> words = new ArrayList<>(List.of(service, "--xia", stackOf(node)));
      words.add("--accept-unsigned");
      if (service.equals("agent")) {
        words.addAll(
            List.of("--status-file", lab.directory().resolve(name + ".status").toString()));
      }
      lab.launch(name, links().prefix(node), words);
      lab.awaitReady(name, service.equals("agent") ? "agent of" : "name server ready", START);
    }
  }

  private List<String> servicesOf(String node) {
    if (isGateway(node)) {
      return List.of("gateway");
    }
    return node.equals(scenario.nameServer()) ? List.of("nameserver", "agent") : List.of("agent");
  }

  private boolean isGateway(String node) {
    return scenario.gateways().contains(node);
  }

  private boolean throughLibrary() {
    return throughLibrary(options);
  }

  private static boolean throughLibrary(RunOptions options) {
    return options.xia.equals(LIBRARY) || options.xia.startsWith(LIBRARY + ":");
  }

  /** What {@code --xia} of a command says that is to run on this host. */
  String stackOf(String node) {
    return throughLibrary()
        ? options.xia
            + (options.xia.equals(LIBRARY) ? ":" : "")
            + "@"
            + said(node, "api " + Pattern.quote(node) + " 127\\.0\\.0\\.1:(\\d+)")
            + "/"
            + said(node, "control 127\\.0\\.0\\.1:(\\d+)")
        : "node:" + lab.directory().resolve(node + ".api");
  }

  private String said(String node, String pattern) {
    try {
      Matcher matcher =
          Pattern.compile("^" + pattern + "$", Pattern.MULTILINE)
              .matcher(Files.readString(lab.log(node), StandardCharsets.UTF_8));
      if (matcher.find()) {
        return matcher.group(1);
      }
    } catch (IOException e) {
      throw new RunException("cannot read the log of " + node, e);
    }
    throw new RunException("the node does not say its ports", Map.of("node", node));
  }

  /** The stack of a host, for this process. */
  XiaStack open(String node) {
    return Stacks.open(stackOf(node));
  }

  /** A node's own stack, whatever its host uses: for looking at its counters. */
  XiaStack inspect(String node) {
    Path socket = lab.directory().resolve(node + ".api");
    return Stacks.open("node:" + socket);
  }

  /** The stack as results name it. */
  String stackName() {
    return throughLibrary() ? LIBRARY : "node";
  }
}
