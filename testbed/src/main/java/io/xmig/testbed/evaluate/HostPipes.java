package io.xmig.testbed.evaluate;

import io.xmig.control.host.XmigPipes;
import io.xmig.testbed.run.Lab;
import io.xmig.testbed.run.Nodes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Pipes in the nodes of both hosts, as under their host services. */
final class HostPipes {
  private static final Duration START = Duration.ofSeconds(30);

  private final Lab lab;
  private final Nodes nodes;

  /** Those of nodes that run. */
  HostPipes(Lab lab, Nodes nodes) {
    this.lab = lab;
    this.nodes = nodes;
  }

  /** Control socket of those on a host. */
  Path socket(String host) {
    return nodes.pipes(host).orElseThrow();
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
    Stage.HOSTS.forEach(host -> lab.awaitReady(host, "warm", START));
  }
}
