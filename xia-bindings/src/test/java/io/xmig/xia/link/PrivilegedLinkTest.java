package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.xmig.xia.link.posix.PosixException;
import io.xmig.xia.link.posix.Threads;
import io.xmig.xia.socket.LinkEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Taps and packet sockets, on interfaces made here; without root only the message is looked at. */
@Timeout(300)
class PrivilegedLinkTest {
  private final NodeLoop loop = NodeLoop.start("privileged");
  private final String pid = Long.toString(ProcessHandle.current().pid() % 100_000, 36);

  @AfterEach
  void close() {
    loop.close();
  }

  private <T> T on(Callable<T> function) throws Exception {
    return loop.call(function).get(60, TimeUnit.SECONDS);
  }

  private static int run(String... command) throws Exception {
    try {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException missing) {
      return 127;
    }
  }

  private static boolean mayMakeInterfaces(String name) throws Exception {
    return Threads.userId() == 0
        && run("ip", "link", "add", name, "type", "veth", "peer", name + "p") == 0;
  }

  private static ByteBuffer frame(int type, int number, int length) {
    ByteBuffer frame = ByteBuffer.allocate(length);
    frame.putLong(0, 0xffff_ffff_ffff_0200L).putInt(8, 0x00000001).putShort(12, (short) type);
    return frame.putInt(14, number);
  }

  @Test
  void twoEndsOfAVethPairHearEachOtherAndNotThemselves() throws Exception {
    String a = "xmv" + pid;
    assumeTrue(mayMakeInterfaces(a), "needs root and veth");
    try {
      run("ip", "link", "set", a, "mtu", "9000", "up");
      run("ip", "link", "set", a + "p", "mtu", "9000", "up");
      await().until(() -> isUp(a) && isUp(a + "p")); // until then the kernel drops what is sent
      List<Integer> heardByA = Collections.synchronizedList(new ArrayList<>());
      List<Integer> heardByB = Collections.synchronizedList(new ArrayList<>());
      List<LinkEvent> events = Collections.synchronizedList(new ArrayList<>());
      PacketLink left = open(a, heardByA);
      PacketLink right = open(a + "p", heardByB);
      on(
          () -> {
            LinkWatcher watcher = new LinkWatcher(loop);
            watcher.watch(right.device().index(), 3, events::add);
            loop.own(watcher);
            return 0;
          });
      assertThat(left.mtu()).isEqualTo(9000);
      on(
          () -> {
            for (int i = 0; i < 100; i++) {
              left.frame(frame(0xC0DE, i, 42 + i * 80));
            }
            left.frame(frame(0x1234, 1000, 60)); // not ours: the filter refuses it
            left.frame(frame(0x8035, 1001, 60));
            return 0;
          });
      await().until(() -> heardByB.size() >= 101);
      assertThat(heardByB).hasSize(101).doesNotContain(1000).contains(1001);
      assertThat(heardByA).isEmpty();
      run("ip", "link", "set", a, "down");
      await()
          .untilAsserted(
              () -> assertThat(events).contains(new LinkEvent(LinkEvent.Kind.DOWN, 3, 0)));
      on(
          () -> {
            left.frame(frame(0xC0DE, 1, 60));
            return 0;
          });
      await().until(() -> left.counters().absentDrops() == 1);
    } finally {
      run("ip", "link", "del", a);
    }
  }

  private static boolean isUp(String name) throws IOException {
    return Files.readString(Path.of("/sys/class/net", name, "operstate")).equals("up\n");
  }

  private PacketLink open(String name, List<Integer> heard) throws Exception {
    return on(
        () -> {
          PacketLink link = PacketLink.open(loop, name, true);
          link.receiver(frame -> heard.add(frame.getInt(frame.position() + 14)));
          loop.own(link);
          return link;
        });
  }

  @Test
  void whatGoesIntoATapComesOutOfItsInterface() throws Exception {
    String name = "xmt" + pid;
    assumeTrue(mayMakeInterfaces("xmq" + pid), "needs root and the right to make interfaces");
    run("ip", "link", "del", "xmq" + pid);
    assumeTrue(Files.exists(Path.of("/dev/net/tun")), "needs tun");
    List<Integer> heard = Collections.synchronizedList(new ArrayList<>());
    List<Integer> heardByTap = Collections.synchronizedList(new ArrayList<>());
    TapLink tap =
        on(
            () -> {
              TapLink made = TapLink.open(loop, name, 9000);
              made.receiver(
                  frame -> {
                    if (frame.getShort(frame.position() + 12) == (short) 0xC0DE) {
                      heardByTap.add(frame.getInt(frame.position() + 14));
                    }
                  });
              loop.own(made);
              return made;
            });
    PacketLink kernelSide = open(name, heard);
    on(
        () -> {
          tap.frame(frame(0xC0DE, 5, 9014));
          kernelSide.frame(frame(0xC0DE, 6, 9014));
          return 0;
        });
    await().until(() -> heard.contains(5) && heardByTap.contains(6));
  }

  @Test
  void saysWhatToDoWhenAnInterfaceIsMissingOrForbidden() {
    String hint = Threads.userId() == 0 ? "ip link" : "user-space links";
    assertThatThrownBy(() -> on(() -> PacketLink.open(loop, "nosuch0", false)))
        .hasCauseInstanceOf(PosixException.class)
        .hasMessageContaining(Threads.userId() == 0 ? hint : "nosuch0");
  }
}
