package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.control.host.v1.Commit;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.Signer;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Host services on two real nodes, in virtual time. */
class XiaHandoffTransportTest {
  private static final Xid SERVICE = Topologies.sid(7);
  private static final Signer A = Ed25519.generate();
  private static final Signer B = Ed25519.generate();

  private final SimNetwork net = new SimNetwork(1);
  private final Topologies.TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(1));
  private final NodeStack left = net.stack(at.host0());
  private final NodeStack right = net.stack(at.host1());
  private final Heard source = new Heard();
  private final Heard destination = new Heard();

  /** Writes down what happens on a link. */
  private static final class Heard implements HandoffTransport.Listener {
    final List<String> events = new ArrayList<>();
    HandoffTransport.Link link;

    @Override
    public void up() {
      events.add("up");
    }

    @Override
    public void down(boolean peerIsGone) {
      events.add(peerIsGone ? "gone" : "lost");
    }

    @Override
    public void received(HandoffMessage message) {
      events.add(message.getHandoff());
    }

    @Override
    public void refused(String why) {
      events.add("refused: " + why);
    }
  }

  private static PeerTrust keyed(Signer own, Signer accepted) {
    return new PeerTrust(own, new Ed25519(), Set.of(accepted.identity().hid()), false);
  }

  private XiaHandoffTransport transport(NodeStack stack, PeerTrust trust) {
    return new XiaHandoffTransport(
        stack,
        SERVICE,
        peer -> CompletableFuture.completedFuture(right.localAddress().service(SERVICE)),
        trust,
        new Random(stack == left ? 1 : 2));
  }

  private XiaHandoffTransport join(PeerTrust leftTrust, PeerTrust rightTrust) {
    transport(right, rightTrust)
        .accept(
            link -> {
              destination.link = link;
              return destination;
            });
    XiaHandoffTransport opening = transport(left, leftTrust);
    source.link = opening.open("right", source);
    net.run(Duration.ofSeconds(1));
    return opening;
  }

  private static HandoffMessage message(String id) {
    return HandoffMessage.newBuilder()
        .setHandoff(id)
        .setCommit(Commit.getDefaultInstance())
        .build();
  }

  @Test
  void messagesGoBothWaysBetweenHostsThatKnowEachOther() {
    XiaHandoffTransport opening = join(keyed(A, B), keyed(B, A));
    source.link.send(message("h1"));
    destination.link.send(message("h2"));
    net.run(Duration.ofSeconds(1));

    assertThat(destination.events).containsExactly("up", "h1");
    assertThat(source.events).containsExactly("up", "h2");
    assertThat(destination.link.identity()).isEqualTo(A.identity().hid().toString());

    opening.close();
    net.run(Duration.ofSeconds(1));
    assertThat(destination.events).containsExactly("up", "h1", "gone");
  }

  @Test
  void aStrangerHandsNothingOverAndHearsWhy() {
    join(keyed(A, B), keyed(B, B));
    source.link.send(message("h1"));
    net.run(Duration.ofSeconds(1));

    assertThat(destination.events).noneMatch(event -> event.equals("up") || event.equals("h1"));
    assertThat(source.events)
        .anyMatch(event -> event.contains("--accept-from " + A.identity().hid()));
  }

  @Test
  void anUnsignedHostIsRefusedUnlessToldOtherwise() {
    join(PeerTrust.unsigned(), keyed(B, A));
    assertThat(source.events).anyMatch(event -> event.contains("has no key"));
    assertThat(destination.events).noneMatch(event -> event.equals("up"));
  }

  @Test
  void withoutKeysTheyTalkIfBothAreToldTo() {
    join(PeerTrust.unsigned(), PeerTrust.unsigned());
    source.link.send(message("h1"));
    net.run(Duration.ofSeconds(1));
    assertThat(destination.events).containsExactly("up", "h1");
    assertThat(destination.link.identity()).isEmpty();
  }

  @Test
  void aProcessThatEndsIsGoneAndALinkThatIsCutIsMadeAnew() {
    join(keyed(A, B), keyed(B, A));
    source.link.reset();
    net.run(Duration.ofSeconds(2));
    assertThat(source.events).containsExactly("up", "lost", "up");
    assertThat(destination.events).containsExactly("up", "gone", "up");

    left.close();
    net.run(Duration.ofSeconds(30));
    assertThat(destination.events).containsExactly("up", "gone", "up", "gone");
  }
}
