package io.xmig.testbed.bench;

import io.xmig.testbed.run.Lab;
import io.xmig.testbed.run.RunException;
import io.xmig.xia.host.RouterCache;
import io.xmig.xia.socket.XiaSockets;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Three node processes in a row, and a stack on each end of it:
 *
 * <pre>
 *   this process ─ SENDER.api ─ SENDER ── ROUTER ── RECEIVER ─ RECEIVER.api ─ this process
 * </pre>
 *
 * Closing it ends the processes and removes what they made.
 */
final class Chain implements AutoCloseable {
  static final String SENDER = "SENDER";
  static final String ROUTER = "ROUTER";
  static final String RECEIVER = "RECEIVER";
  static final String CLIENTS = "clients (this process)";

  private static final Duration START = Duration.ofSeconds(30);
  private static final String RECEIVER_HID = "HID1";
  private static final String SENDER_HID = "HID0";
  private static final String ROUTER_HID = "RHID0";

  private final Lab lab;
  private final Map<String, ProcessHandle> processes = new LinkedHashMap<>();
  private final List<XiaSockets> open = new ArrayList<>();

  private Chain(Lab lab) {
    this.lab = lab;
  }

  /**
   * Starts the processes and waits until packets find their way.
   *
   * @throws RunException if a process does not start, with the end of what it said
   */
  static Chain start(int mtu, RouterCache cache, BenchOptions options) throws IOException {
    Chain chain = new Chain(Lab.open(false));
    try {
      chain.launch(mtu, cache, options);
      chain.route();
      return chain;
    } catch (IOException | RuntimeException e) {
      chain.close();
      throw e;
    }
  }

  private void launch(int mtu, RouterCache cache, BenchOptions options) throws IOException {
    Path file = lab.directory().resolve("chain.click");
    Files.writeString(file, topology(options), StandardCharsets.US_ASCII);
    for (String name : List.of(SENDER, ROUTER, RECEIVER)) {
      List<String> command =
          new ArrayList<>(
              List.of(
                  "node", file.toString(), "--run", lab.directory().toString(), "--only", name));
      command.addAll(List.of("--mtu", String.valueOf(mtu), "--control", "none"));
      command.addAll(List.of("--api-ports", "none"));
      command.addAll(List.of("--cache", cache.toString()));
      if (options.shape() != null) {
        command.addAll(List.of("--shape", options.shape()));
      }
      lab.launch(name, List.of(), command);
      processes.put(name, lab.process(name));
    }
    for (String name : processes.keySet()) {
      lab.awaitReady(name, "ready", START);
    }
  }

  /** The hosts' way out, and the router's to the hosts, which agents and gateways would set. */
  private void route() {
    XiaSockets router = sockets(ROUTER);
    set(router, "HID", SENDER_HID + ",0," + SENDER_HID + ",0");
    set(router, "HID", RECEIVER_HID + ",1," + RECEIVER_HID + ",0");
    for (String name : List.of(SENDER, RECEIVER)) {
      XiaSockets host = sockets(name);
      set(host, "AD", "-,0," + ROUTER_HID + ",0");
      set(host, "HID", "-,0," + ROUTER_HID + ",0");
    }
  }

  private static void set(XiaSockets node, String type, String route) {
    node.writeHandler("./xrc/n/proc/rt_" + type + ".set4", route);
  }

  /** A new connection to the local API of one of the nodes; goes with the chain. */
  XiaSockets sockets(String node) {
    XiaSockets opened = XiaSockets.open("node:" + lab.directory().resolve(node + ".api"));
    open.add(opened);
    return opened;
  }

  /** What each process has used up to now, this one included. */
  Map<String, ProcessUse> use() {
    Map<String, ProcessUse> use = new LinkedHashMap<>();
    processes.forEach((name, process) -> use.put(name, ProcessUse.of(process)));
    use.put(CLIENTS, ProcessUse.of(ProcessHandle.current()));
    return use;
  }

  /**
   * Fails if a node has ended.
   *
   * @throws RunException naming it
   */
  void check() {
    if (!lab.dead().isEmpty()) {
      throw new RunException(
          "a node of the bench has ended",
          Map.of("nodes", lab.dead(), "XMIG_LOG", "INFO says why"));
    }
  }

  private static String topology(BenchOptions options) throws IOException {
    String nodes =
        """
        require(library xia_router_lib.click);
        ROUTER :: XIARouter2Port(RE AD0 RHID0, AD0, RHID0, 0.0.0.0, 1700,
                                 02:00:00:00:01:00, 02:00:00:00:01:01);
        SENDER :: XIAEndHost(RE AD0 HID0, HID0, 1500, 0, 02:00:00:00:0a:00);
        RECEIVER :: XIAEndHost(RE AD0 HID1, HID1, 1501, 0, 02:00:00:00:0b:00);
        """;
    if (options.links() == BenchOptions.Links.UNIX) {
      String between = options.shape() == null ? "Unqueue" : "LinkUnqueue(1ms, 1Gbps)";
      return nodes
          + "SENDER -> %1$s -> [0]ROUTER[0] -> %1$s -> SENDER;\n".formatted(between)
          + "RECEIVER -> %1$s -> [1]ROUTER[1] -> %1$s -> RECEIVER;\n".formatted(between);
    }
    int[] ports = freePorts(4);
    return nodes
        + attached("SENDER", "0", ports[0], ports[1])
        + attached("ROUTER", "0", ports[1], ports[0])
        + attached("ROUTER", "1", ports[2], ports[3])
        + attached("RECEIVER", "0", ports[3], ports[2]);
  }

  private static String attached(String node, String port, int own, int others) {
    return "Socket(\"UDP\", 127.0.0.1, %d) -> [%s]%s[%s] -> Socket(\"UDP\", 127.0.0.1, %d);%n"
        .formatted(own, port, node, port, others);
  }

  /** UDP ports that were free a moment ago. */
  private static int[] freePorts(int count) throws IOException {
    List<DatagramSocket> held = new ArrayList<>();
    try {
      int[] ports = new int[count];
      for (int i = 0; i < count; i++) {
        DatagramSocket socket =
            new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        held.add(socket);
        ports[i] = socket.getLocalPort();
      }
      return ports;
    } finally {
      held.forEach(DatagramSocket::close);
    }
  }

  @Override
  public void close() {
    for (XiaSockets each : open) {
      try {
        each.close();
      } catch (RuntimeException e) {
        continue; // its node is gone already
      }
    }
    lab.close();
  }
}
