package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.testkit.ByteFlow;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever comes by a link is forwarded, taken or counted: a node never throws and never hangs. */
class HostileFramesTest {
  private static final int FRAMES_PER_SEED = 200;

  /** Two hosts with every kind of socket open, and a caching router between them. */
  private static final class Target {
    final SimNetwork net;
    final Topologies.Chain at;
    final List<XiaNode> nodes = new ArrayList<>();

    Target(long seed) {
      net = new SimNetwork(seed);
      at =
          Topologies.chain(
              net,
              2,
              LinkProfile.delayMs(1),
              config -> config.withCacheContent(true).withAcceptRedirects(true));
      nodes.add(at.host0());
      nodes.addAll(at.routers());
      nodes.add(at.host1());
      for (XiaNode host : List.of(at.host0(), at.host1())) {
        NodeStack stack = net.stack(host);
        net.await(stack.openDatagram(Topologies.sid(0x889), (source, payload, port) -> {}));
        net.await(stack.openXcmp((source, message) -> {}));
        net.await(
            stack.listen(
                Topologies.sid(1), 4, connection -> new ByteFlow(1, 10, 2).start(connection)));
        byte[] chunk = new byte[5000];
        net.await(
            net.await(stack.allocateSlice(SliceOptions.unlimited()))
                .put(Cid.of(chunk), ByteBuffer.wrap(chunk)));
        ChunkSocket socket = net.await(stack.openChunks());
        socket.request(
            Dag.withFallback(List.of(Topologies.ad(1), Topologies.hid(5)), Cid.of(new byte[] {1})),
            -1,
            new ChunkHandler() {
              @Override
              public void onChunk(Xid cid, ByteBuffer data) {}

              @Override
              public void onFailed(Xid cid, XiaSocketException cause) {}
            });
      }
      net.run(Duration.ofSeconds(1));
    }

    void feed(byte[] frame) {
      for (XiaNode node : nodes) {
        for (int port = 0; port < node.config().ports().size(); port++) {
          byte[] copy = frame.clone();
          if (copy.length >= 6 && (copy[0] & 1) == 0) {
            EthernetFlyweight.putMac(
                ByteBuffer.wrap(copy), 0, node.config().ports().get(port).mac());
          }
          node.receive(port, ByteBuffer.wrap(copy));
        }
      }
    }
  }

  private static List<byte[]> captured() {
    List<byte[]> frames = new ArrayList<>();
    for (String file :
        List.of(
            "xcmp",
            "xarp",
            "dgram",
            "stream",
            "content",
            "xhcp",
            "xrouted",
            "nameservice",
            "handoff")) {
      Vectors.load(file).stream()
          .filter(v -> v.link().equals("ethernet"))
          .forEach(v -> frames.add(v.bytes()));
    }
    return frames;
  }

  private static byte[] mutate(byte[] frame, SplittableRandom random) {
    byte[] changed = frame.clone();
    for (int n = random.nextInt(1, 8); n > 0; n--) {
      // Mostly in the headers, where a change matters.
      int span = random.nextInt(4) == 0 ? changed.length : Math.min(changed.length, 60);
      int at = random.nextInt(span);
      changed[at] =
          (byte)
              switch (random.nextInt(4)) {
                case 0 -> random.nextInt();
                case 1 -> changed[at] ^ 1 << random.nextInt(8);
                case 2 -> 0xff;
                default -> 0;
              };
    }
    int keep = random.nextInt(8) == 0 ? random.nextInt(changed.length) : changed.length;
    return Arrays.copyOf(changed, keep);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void mutatedCapturesNeverThrowAndNothingGrowsWithoutLimit(long seed) {
    Target target = new Target(seed);
    SplittableRandom random = new SplittableRandom(seed);
    List<byte[]> frames = captured();
    for (int i = 0; i < FRAMES_PER_SEED; i++) {
      target.feed(mutate(frames.get(random.nextInt(frames.size())), random));
      target.net.run(Duration.ofMillis(random.nextInt(20)));
    }
    target.net.run(Duration.ofSeconds(30));
    for (XiaNode node : target.nodes) {
      assertThat(node.port(0).xarp.length()).isZero();
      assertThat(node.routes(XidType.CID).size()).isLessThan(1000);
    }
  }

  @Test
  void aGraphThatGoesInCirclesOnThisNodeIsDroppedAsMalformed() {
    Target target = new Target(1);
    XiaNode router = target.at.routers().get(0);
    Dag source = Dag.path(Topologies.ad(0), Topologies.hid(0), Topologies.sid(3));
    Dag destination = Dag.path(Topologies.ad(0), Topologies.rhid(0), Topologies.hid(9));
    ByteBuffer frame = ByteBuffer.allocate(500);
    EthernetFlyweight.write(
        frame, 0, Topologies.mac(0, 0x20), Topologies.mac(0, 0x10), EthernetFlyweight.TYPE_XIP);
    int length =
        XipFlyweight.write(frame, 14, XipFlyweight.NEXT_TRANSPORT, 0, 250, destination, source);
    // Back from the router to its own AD.
    frame.put(14 + 8 + 28 + 24, (byte) 0);
    frame.limit(14 + length);
    long before = router.counters().get(NodeCounter.DROP_MALFORMED);
    router.receive(0, frame);
    assertThat(router.counters().get(NodeCounter.DROP_MALFORMED)).isEqualTo(before + 1);
  }

  @Test
  void everyTruncationOfACapturedFrameIsTaken() {
    Target target = new Target(1);
    for (String name : List.of("xcmp_unreachable_unknown_ad", "xcmp_redirect")) {
      byte[] frame = Vectors.get("xcmp", name).bytes();
      for (int length = 0; length <= frame.length; length++) {
        target.feed(Arrays.copyOf(frame, length));
      }
    }
    target.net.run(Duration.ofSeconds(1));
    XiaNode host1 = target.at.host1();
    assertThat(host1.counters().get(NodeCounter.DROP_MALFORMED)).isPositive();
  }

  @FuzzTest
  void anyBytesAreTaken(byte[] data) {
    Target target = new Target(1);
    target.feed(data);
    target.net.run(Duration.ofSeconds(1));
  }
}
