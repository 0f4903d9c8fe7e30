package io.xmig.control.pipe;

import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.store.ChunkStore;
import io.xmig.chunk.testkit.FakeInput;
import io.xmig.chunk.testkit.FakeOutput;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.SessionTimes;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A whole transfer between two nodes and a router, in virtual time: its parts and its outcome. */
final class NodeRun {
  private static final Duration LIMIT = Duration.ofMinutes(30);

  /** A profile that carries more says nothing about the MTU. */
  private static final int LARGEST_MTU = 9000;

  final SimNetwork net;
  final Topologies.TwoHosts at;
  final NodeStack source;
  final NodeStack destination;
  final FakeInput input;
  final FakeOutput output;
  final SendPipe send;
  final ReceivePipe receive;
  final List<String> events = new ArrayList<>();
  boolean sourceDead;
  boolean destinationDead;
  @Nullable Outcome sent;
  @Nullable Outcome received;

  NodeRun(long seed, LinkProfile profile, byte[] stream, Duration resume) {
    net = new SimNetwork(seed);
    int mtu = profile.mtu() > LARGEST_MTU ? NodeConfig.ETHERNET_MTU : profile.mtu();
    at = Topologies.twoHosts(net, profile, node -> node.withMtu(mtu));
    source = net.stack(at.host0());
    destination = net.stack(at.host1());
    SplittableRandom random = new SplittableRandom(seed);
    input = new FakeInput(net.loop(), random, stream, 64 * 1024, 0);
    output = new FakeOutput(net.loop(), 1e9);
    SessionTimes times = SessionTimes.of(Duration.ofSeconds(10), resume);
    SendOptions options =
        new SendOptions(
            times,
            0,
            SendOptions.DEFAULT_MAX_IN_FLIGHT,
            200_000_000L,
            50_000_000L,
            0,
            Compression.OFF,
            false,
            Migration.SECOND,
            "test");
    send =
        new SendPipe(
            source,
            () ->
                CompletableFuture.completedFuture(
                    destination.localAddress().service(Migration.SERVICE)),
            input,
            lane(),
            lane(),
            net.loop()::nanoTime,
            options,
            new byte[16],
            (name, facts) -> events.add(at() + " source " + name + " " + facts));
    receive =
        new ReceivePipe(
            destination,
            Migration.SERVICE,
            output,
            lane(),
            lane(),
            ChunkStore.NONE,
            new ReceiveOptions(
                times,
                SendOptions.DEFAULT_MAX_IN_FLIGHT,
                false,
                true,
                200 * Migration.SECOND,
                Migration.SECOND,
                "test"),
            (name, facts) -> events.add(at() + " destination " + name + " " + facts));
  }

  private String at() {
    return String.format("%.3f", net.loop().nanoTime() / 1e9);
  }

  private Lane lane() {
    return new Lane(net.loop(), net.loop());
  }

  NodeRun start() {
    receive.start().thenAccept(outcome -> received = outcome);
    send.start().thenAccept(outcome -> sent = outcome);
    return this;
  }

  void kill(boolean killSource) {
    if (killSource) {
      sourceDead = true;
      source.close();
    } else {
      destinationDead = true;
      destination.close();
    }
  }

  boolean run() {
    return net.runUntil(
        () -> (sent != null || sourceDead) && (received != null || destinationDead), LIMIT);
  }
}
