package io.xmig.testbed.evaluate;

import io.xmig.control.host.XmigPipes;
import io.xmig.testbed.run.Lab;
import io.xmig.testbed.run.Nodes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Resident pipes on both hosts, as under their host services. */
final class HostPipes {
  private static final Duration START = Duration.ofSeconds(30);

  private final Lab lab;
  private final Nodes nodes;

  /** Starts them, in namespaces. */
  HostPipes(Lab lab, Nodes nodes) {
    this.lab = lab;
    this.nodes = nodes;
    for (String host : Stage.HOSTS) {
      lab.launch(
          name(host),
          nodes.links().prefix(host),
          List.of("pipes", "--socket", socket(host).toString(), "--xia", nodes.nodeOf(host)));
    }
    Stage.HOSTS.forEach(host -> lab.awaitReady(name(host), "pipes ready", START));
  }

  private static String name(String host) {
    return "pipes-" + host;
  }

  /** Control socket of those on a host. */
  Path socket(String host) {
    return lab.directory().resolve(host + ".pipes");
  }

  /** A stream of bytes from one host to the other, not begun yet. */
  RawStream stream(String id, int from, long mostBytes, Duration most) {
    return new RawStream(
        lab.directory(),
        id,
        raw(Stage.HOSTS.get(from)),
        raw(Stage.HOSTS.get(1 - from)),
        mostBytes,
        most);
  }

  private XmigPipes raw(String host) {
    return new XmigPipes(
            List.of("xmig"),
            List.of("--raw", "--xia", nodes.nodeOf(host)),
            sid -> nodes.network().local(host).service(sid).toString())
        .resident(socket(host));
  }

  /** Until each has transferred to itself. */
  void awaitWarm() {
    Stage.HOSTS.forEach(host -> lab.awaitReady(name(host), "warm", START));
  }
}
