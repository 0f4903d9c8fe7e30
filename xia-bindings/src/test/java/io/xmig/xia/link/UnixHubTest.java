package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class UnixHubTest {
  @TempDir Path dir;
  @TempDir Path elsewhere;
  private final NodeLoop loop = NodeLoop.start("hub");

  @AfterEach
  void close() {
    loop.close();
  }

  private <T> T on(Callable<T> function) throws Exception {
    return loop.call(function).get(60, TimeUnit.SECONDS);
  }

  private UnixLink vm(Path local, List<Long> sources) throws Exception {
    return on(
        () -> {
          UnixLink vm =
              UnixLink.plugged(loop, LinkOptions.ofMtu(1500), local, dir.resolve("plug-lan.sock"));
          vm.receiver(
              frame -> sources.add(frame.getLong(frame.position() + 4) & 0xffff_ffff_ffffL));
          loop.own(vm);
          return vm;
        });
  }

  private static ByteBuffer frame(long from, long to) {
    ByteBuffer frame = ByteBuffer.allocate(60);
    frame.putLong(0, to << 16);
    for (int i = 0; i < 6; i++) {
      frame.put(6 + i, (byte) (from >> 8 * (5 - i)));
    }
    return frame;
  }

  @Test
  void everyVmThatSpeaksBecomesAPortOfTheSwitch() throws Exception {
    EthernetSwitch lan = on(() -> new EthernetSwitch(loop, "lan"));
    UnixHub hub =
        on(
            () -> {
              UnixHub made =
                  new UnixHub(
                      loop,
                      LinkOptions.ofMtu(1500),
                      dir.resolve("plug-lan.sock"),
                      lan::attach,
                      lan::detach);
              loop.own(made);
              return made;
            });
    List<Long> heardByFirst = Collections.synchronizedList(new ArrayList<>());
    List<Long> heardBySecond = Collections.synchronizedList(new ArrayList<>());
    UnixLink first = vm(dir.resolve("vm1.sock"), heardByFirst);
    UnixLink second = vm(dir.resolve("vm2.sock"), heardBySecond);
    UnixLink stranger = vm(elsewhere.resolve("vm3.sock"), new ArrayList<>());
    on(() -> send(first, frame(0xa, 0xffff_ffff_ffffL)));
    await().until(() -> lan.links().size() == 1);
    on(() -> send(second, frame(0xb, 0xa)));
    await().until(() -> heardByFirst.equals(List.of(0xbL)));
    on(() -> send(first, frame(0xa, 0xb)));
    await().until(() -> heardBySecond.equals(List.of(0xaL)));
    on(() -> send(stranger, frame(0xc, 0xa)));
    await().until(() -> hub.refused() == 1);
    assertThat(lan.links()).hasSize(2);
    assertThat(heardByFirst).hasSize(1);
  }

  @Test
  void sendsToAVmThatWasAnnouncedBeforeItEverSpoke() throws Exception {
    UnixHub hub =
        on(
            () -> {
              UnixHub made =
                  new UnixHub(
                      loop,
                      LinkOptions.ofMtu(1500),
                      dir.resolve("plug-lan.sock"),
                      link -> {},
                      link -> {});
              loop.own(made);
              return made;
            });
    Link expected = on(() -> hub.expect(dir.resolve("vm9.sock")));
    List<Long> heard = Collections.synchronizedList(new ArrayList<>());
    vm(dir.resolve("vm9.sock"), heard);
    await()
        .until(
            () -> {
              on(() -> send(expected, frame(0xd, 0xe)));
              return heard.contains(0xdL);
            });
  }

  @Test
  void aVmThatIsOnlyExpectedHearsWhatIsSentToAll() throws Exception {
    EthernetSwitch lan = on(() -> new EthernetSwitch(loop, "lan"));
    UnixHub hub =
        on(
            () -> {
              UnixHub made =
                  new UnixHub(
                      loop,
                      LinkOptions.ofMtu(1500),
                      dir.resolve("plug-lan.sock"),
                      lan::attach,
                      lan::detach);
              loop.own(made);
              return made;
            });
    List<Long> heard = Collections.synchronizedList(new ArrayList<>());
    UnixLink speaker = vm(dir.resolve("vm1.sock"), new ArrayList<>());
    vm(dir.resolve("vm2.sock"), heard);
    on(() -> send(speaker, frame(0xa, 0xffff_ffff_ffffL)));
    await().until(() -> lan.links().size() == 1);
    on(() -> hub.expect(dir.resolve("vm2.sock")));
    on(() -> hub.expect(dir.resolve("vm2.sock")));
    assertThat(on(lan::links)).hasSize(2);
    on(() -> send(speaker, frame(0xb, 0xffff_ffff_ffffL)));
    await().until(() -> !heard.isEmpty());
    assertThat(heard).containsExactly(0xbL);
  }

  private static int send(Link link, ByteBuffer frame) {
    link.frame(frame);
    return 0;
  }
}
