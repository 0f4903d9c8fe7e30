package io.xmig.testbed.run;

import io.xmig.xia.click.ClickSplit;
import io.xmig.xia.click.Topology;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * The routers of a run in the prototype's Click instead of our node: one Click process for all of
 * them, joined to the nodes of ours by UDP sockets, and a gateway process for each that works on it
 * through {@code libXsocket} and the ControlSocket.
 */
final class ClickRouters {
  private static final String NAME = "click";
  private static final Duration START = Duration.ofSeconds(30);

  private final Lab lab;
  private final List<String> routers;
  private final ClickSplit split;
  private final Path rest;

  private ClickRouters(Lab lab, List<String> routers, ClickSplit split) throws IOException {
    this.lab = lab;
    this.routers = routers;
    this.split = split;
    Files.writeString(lab.directory().resolve("click.click"), split.forClick());
    rest = Files.writeString(lab.directory().resolve("nodes.click"), split.forNodes());
  }

  /** Writes the two files and starts Click on its own; returns when it has every router. */
  static ClickRouters start(
      Lab lab, Topology topology, List<String> routers, ClickProgram program, int mtu) {
    try {
      ClickRouters made =
          new ClickRouters(
              lab,
              routers,
              ClickSplit.of(topology, Set.copyOf(routers), mtu, ClickRouters::freeUdp, freeTcp()));
      program.launch(lab, NAME, lab.directory().resolve("click.click"));
      ClickProgram.awaitNodes(lab, NAME, made.split.control(), routers, START);
      return made;
    } catch (IOException e) {
      throw new RunException("cannot write the configuration for click", e);
    }
  }

  private static int freeUdp() {
    try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new RunException("no free UDP port", e);
    }
  }

  private static int freeTcp() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** What is left of the topology for nodes of ours. */
  Path rest() {
    return rest;
  }

  /** TCP port of Click's ControlSocket. */
  int control() {
    return split.control();
  }

  /**
   * Starts the gateway of every router.
   *
   * @param library what {@code --xia} says of the library, without ports
   * @param words the command of a router's gateway
   */
  void startGateways(String library, Function<String, List<String>> words) {
    for (String router : routers) {
      Integer api = split.apiPorts().get(router);
      List<String> command = new ArrayList<>(words.apply(router));
      command.addAll(List.of("--xia", library + "@" + api + "/" + split.control()));
      lab.launch("gateway-" + router, List.of(), command);
    }
    for (String router : routers) {
      lab.awaitReady("gateway-" + router, "gateway of", START);
    }
  }
}
