package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A loop that would leave a busy link alone for minutes if nothing else happened. */
@Timeout(60)
class PausingLoopTest {
  private static final long MINUTES_NS = Duration.ofMinutes(5).toNanos();

  @TempDir private Path dir;
  private final InterruptModeration moderation =
      new InterruptModeration(System.nanoTime(), MINUTES_NS, 1 << 24);
  private final NodeLoop loop = NodeLoop.start("pausing-loop", moderation);
  private final NodeLoop peer = NodeLoop.start("sending-loop");
  private final AtomicInteger heard = new AtomicInteger();
  private UnixLink sender;
  private int sent;

  @BeforeEach
  void floodUntilItPauses() throws Exception {
    LinkOptions options = LinkOptions.ofMtu(1500);
    Path a = dir.resolve("a.sock");
    Path b = dir.resolve("b.sock");
    UnixLink receiver = loop.call(() -> UnixLink.pair(loop, options, a, b)).get();
    sender = peer.call(() -> UnixLink.pair(peer, options, b, a)).get();
    loop.call(
            () -> {
              loop.own(receiver);
              receiver.receiver(frame -> heard.incrementAndGet());
              return null;
            })
        .get();
    peer.call(
            () -> {
              peer.own(sender);
              return null;
            })
        .get();
    // only then the kernel bounds what waits by bytes, and nothing is dropped
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                loop.call(receiver::isConnected).get(5, TimeUnit.SECONDS)
                    && peer.call(sender::isConnected).get(5, TimeUnit.SECONDS));
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(2))
        .until(
            () -> {
              send(20);
              return loop.call(moderation::pauses).get(5, TimeUnit.SECONDS) > 0;
            });
  }

  private void send(int frames) throws Exception {
    peer.call(
            () -> {
              for (int i = 0; i < frames; i++) {
                sender.frame(UnixLinkTest.numbered(sent++, 1000));
              }
              return null;
            })
        .get(5, TimeUnit.SECONDS);
  }

  @AfterEach
  void close() {
    peer.close();
    loop.close(); // waits 10 s for a loop that does not end and then fails
  }

  @Test
  void aTaskOfAnotherThreadEndsAPause() throws Exception {
    for (int i = 0; i < 20; i++) {
      assertThat(loop.call(() -> 7).get(10, TimeUnit.SECONDS)).isEqualTo(7);
    }
  }

  @Test
  void aTimerEndsAPause() throws Exception {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> loop.schedule(20_000_000, () -> done.complete(null)));
    done.get(10, TimeUnit.SECONDS);
  }

  @Test
  void aDescriptorThatIsNoBulkLinkEndsAPause() throws Exception {
    Path plug = dir.resolve("plug.sock");
    CompletableFuture<Void> came = new CompletableFuture<>();
    loop.call(
            () -> {
              LinkOptions options = LinkOptions.ofMtu(1500);
              UnixLink link = UnixLink.plug(loop, options, plug, dir.resolve("vm.sock"));
              loop.own(link);
              link.receiver(frame -> came.complete(null));
              return null;
            })
        .get(10, TimeUnit.SECONDS);
    peer.call(
            () -> {
              LinkOptions options = LinkOptions.ofMtu(1500);
              UnixLink guest = UnixLink.plugged(peer, options, dir.resolve("vm.sock"), plug);
              peer.own(guest);
              guest.frame(UnixLinkTest.numbered(1, 60));
              return null;
            })
        .get(10, TimeUnit.SECONDS);
    came.get(10, TimeUnit.SECONDS);
  }

  @Test
  void whatCameDuringPausesIsAllHandedOn() throws Exception {
    send(200);
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              loop.call(() -> 0).get(10, TimeUnit.SECONDS); // ends a pause
              return heard.get() == sent;
            });
  }
}
