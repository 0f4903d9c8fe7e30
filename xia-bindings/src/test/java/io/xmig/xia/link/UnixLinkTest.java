package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.xmig.xia.link.posix.PosixException;
import io.xmig.xia.node.UrgentSink;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class UnixLinkTest {
  private static final LinkOptions OPTIONS = LinkOptions.ofMtu(9000);

  @TempDir Path dir;
  private final NodeLoop loopA = NodeLoop.start("loop-a");
  private final NodeLoop loopB = NodeLoop.start("loop-b");

  @AfterEach
  void close() {
    loopA.close();
    loopB.close();
  }

  private static <T> T on(NodeLoop loop, java.util.concurrent.Callable<T> function)
      throws Exception {
    return loop.call(function).get(60, TimeUnit.SECONDS);
  }

  private UnixLink open(NodeLoop loop, String local, String remote, List<Integer> heard)
      throws Exception {
    return on(
        loop,
        () -> {
          UnixLink link = UnixLink.pair(loop, OPTIONS, dir.resolve(local), dir.resolve(remote));
          link.receiver(frame -> heard.add(frame.getInt(frame.position() + 14)));
          loop.own(link);
          return link;
        });
  }

  static ByteBuffer numbered(int number, int length) {
    return ByteBuffer.allocate(length).putInt(14, number);
  }

  private static List<Integer> list() {
    return Collections.synchronizedList(new ArrayList<>());
  }

  @Test
  void whatIsUrgentOfThatWhichCameTogetherIsTakenFirst() throws Exception {
    List<Integer> heard = list();
    UnixLink a = open(loopA, "a", "b", list());
    UnixLink b = open(loopB, "b", "a", heard);
    await().until(b::isConnected);
    CountDownLatch occupied = new CountDownLatch(1);
    CountDownLatch sent = new CountDownLatch(1);
    CompletableFuture<Boolean> busy =
        loopB.call(
            () -> {
              b.receiver(
                  new UrgentSink() {
                    @Override
                    public void frame(ByteBuffer frame) {
                      heard.add(frame.getInt(frame.position() + 14));
                    }

                    @Override
                    public boolean urgent(ByteBuffer frame) {
                      boolean urgent = frame.getInt(frame.position() + 14) % 2 == 1;
                      if (urgent) {
                        frame(frame);
                      }
                      return urgent;
                    }
                  });
              occupied.countDown();
              return sent.await(10, TimeUnit.SECONDS);
            });
    assertThat(occupied.await(10, TimeUnit.SECONDS)).isTrue();
    on(
        loopA,
        () -> {
          for (int i = 0; i < 6; i++) {
            a.frame(numbered(i, 60));
          }
          return 0;
        });
    await().until(() -> on(loopA, () -> a.counters().framesOut) == 6);
    sent.countDown();

    assertThat(busy.get(10, TimeUnit.SECONDS)).isTrue();
    await().until(() -> heard.size() == 6);
    assertThat(heard).containsExactly(1, 3, 5, 0, 2, 4);
    assertThat(on(loopB, () -> b.counters().framesIn)).isEqualTo(6);
  }

  @Test
  void carriesFramesOfAnySizeInOrder() throws Exception {
    List<Integer> heard = list();
    UnixLink a = open(loopA, "a", "b", list());
    UnixLink b = open(loopB, "b", "a", heard);
    await().until(b::isConnected);
    for (int i = 0; i < 2000; i += 20) {
      int first = i;
      on(
          loopA,
          () -> {
            for (int k = first; k < first + 20; k++) {
              a.frame(numbered(k, 18 + (k * 37) % 8990));
            }
            return 0;
          });
      await().pollInterval(Duration.ofMillis(1)).until(() -> heard.size() == first + 20);
    }
    assertThat(heard).isSorted().hasSize(2000);
    assertThat(a.counters().framesOut()).isEqualTo(2000);
    assertThat(b.counters().framesIn()).isEqualTo(2000);
  }

  @Test
  void anAnswerDoesNotWaitForWhatElseTheTurnHasToDo() throws Exception {
    CountDownLatch answered = new CountDownLatch(1);
    CompletableFuture<Boolean> inTime = new CompletableFuture<>();
    UnixLink a = open(loopA, "a", "b", list());
    UnixLink b = open(loopB, "b", "a", list());
    on(
        loopB,
        () -> {
          b.receiver(
              frame -> {
                b.frame(numbered(2, 60));
                loopB.execute(() -> inTime.complete(within(answered)));
              });
          return 0;
        });
    on(
        loopA,
        () -> {
          a.receiver(frame -> answered.countDown());
          return send(a, 1);
        });
    assertThat(inTime.get(60, TimeUnit.SECONDS)).isTrue();
  }

  private static boolean within(CountDownLatch answered) {
    try {
      return answered.await(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Test
  void countsFramesForNobodyAndWorksOnceThePeerComes() throws Exception {
    List<Integer> heard = list();
    UnixLink a = open(loopA, "a", "b", list());
    on(loopA, () -> send(a, 1));
    await().until(() -> a.counters().absentDrops() == 1);
    open(loopB, "b", "a", heard);
    await()
        .until(
            () -> {
              on(loopA, () -> send(a, 2));
              return heard.contains(2);
            });
  }

  @Test
  void findsAPeerThatWasRestartedBehindAStaleSocketFile() throws Exception {
    UnixLink a = open(loopA, "a", "b", list());
    UnixLink first = open(loopB, "b", "a", list());
    await().until(() -> a.isConnected() && first.isConnected());
    Files.createLink(dir.resolve("kept"), dir.resolve("b"));
    on(
        loopB,
        () -> {
          first.close();
          return 0;
        });
    Files.move(dir.resolve("kept"), dir.resolve("b")); // as after kill -9
    List<Integer> heardByA = list();
    on(
        loopA,
        () -> {
          a.receiver(frame -> heardByA.add(frame.getInt(frame.position() + 14)));
          return 0;
        });
    List<Integer> heard = list();
    UnixLink second = open(loopB, "b", "a", heard);
    // the new one speaks first: the other end still is connected to the dead one
    await()
        .until(
            () -> {
              on(loopB, () -> send(second, 5));
              return heardByA.contains(5);
            });
    on(loopA, () -> send(a, 6));
    await().until(() -> heard.contains(6));
  }

  @Test
  void refusesAPathThatALivingProcessUses() throws Exception {
    open(loopA, "a", "b", list());
    assertThatThrownBy(() -> open(loopB, "a", "b", list()))
        .hasRootCauseInstanceOf(PosixException.class)
        .rootCause()
        .hasMessageContaining("EADDRINUSE")
        .hasMessageContaining("another process");
  }

  @Test
  void boundsWhatWaitsForAPeerThatDoesNotReadAndDeliversTheRestInOrder() throws Exception {
    List<Integer> heard = list();
    UnixLink a = open(loopA, "a", "b", list());
    UnixLink b = open(loopB, "b", "a", heard);
    await().until(() -> a.isConnected() && b.isConnected());
    java.util.concurrent.CountDownLatch hold = new java.util.concurrent.CountDownLatch(1);
    loopB.execute(
        () -> {
          try {
            hold.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    int sent = 5000;
    on(
        loopA,
        () -> {
          for (int i = 0; i < sent; i++) {
            a.frame(numbered(i, 9014));
          }
          return 0;
        });
    assertThat(a.counters().queueDrops()).isPositive();
    hold.countDown();
    await()
        .until(
            () -> heard.size() + a.counters().queueDrops() == sent && a.counters().errors() == 0);
    assertThat(heard).isSorted().doesNotHaveDuplicates();
    on(loopA, () -> send(a, sent));
    await().until(() -> heard.contains(sent));
  }

  @Test
  void dropsFramesThatTheLinkCannotCarry() throws Exception {
    UnixLink a = open(loopA, "a", "b", list());
    on(
        loopA,
        () -> {
          a.frame(ByteBuffer.allocate(9015));
          a.frame(ByteBuffer.allocate(13));
          return 0;
        });
    assertThat(a.counters().oversizeDrops()).isEqualTo(2);
  }

  @Test
  void removesItsSocketWhenItIsClosed() throws Exception {
    UnixLink a = open(loopA, "a", "b", list());
    assertThat(dir.resolve("a")).exists();
    on(
        loopA,
        () -> {
          a.close();
          a.close();
          return 0;
        });
    assertThat(dir.resolve("a")).doesNotExist();
  }

  private static int send(Link link, int number) {
    link.frame(numbered(number, 64));
    return number;
  }
}
