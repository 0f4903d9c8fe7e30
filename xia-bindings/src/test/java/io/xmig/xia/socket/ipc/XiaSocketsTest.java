package io.xmig.xia.socket.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.BlockingDatagram;
import io.xmig.xia.socket.BlockingListener;
import io.xmig.xia.socket.BlockingStream;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSockets;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs that wait, each on the node of another process. */
@Timeout(300)
class XiaSocketsTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir Path dir;
  private TwoNodes net;
  private XiaSockets left;
  private XiaSockets right;

  @BeforeEach
  void start() throws Exception {
    net = new TwoNodes(dir, 1500);
    left = XiaSockets.open("node:" + net.sockets[0]);
    right = XiaSockets.open("node:" + net.sockets[1]);
  }

  @AfterEach
  void stop() {
    left.close();
    right.close();
    net.close();
  }

  @Test
  void echoesAStream() throws Exception {
    BlockingListener listener = left.listen(TwoNodes.SID, 4);
    Thread echo =
        new Thread(
            () -> {
              try (BlockingStream stream = listener.accept(SOON)) {
                ByteBuffer part = ByteBuffer.allocate(10_000);
                while (stream.read(part.clear()) >= 0) {
                  stream.write(part.flip());
                }
              }
            });
    echo.start();
    byte[] data = IpcStackTest.random(600_000, 3);
    byte[] back = new byte[data.length];
    try (BlockingStream stream = right.connect(listener.localDag(), SOON)) {
      CompletableFuture<Void> writing =
          CompletableFuture.runAsync(
              () -> {
                stream.write(ByteBuffer.wrap(data));
                stream.shutdownOutput();
              });
      ByteBuffer target = ByteBuffer.wrap(back);
      while (target.hasRemaining() && stream.read(target) >= 0) {
        continue;
      }
      assertThat(stream.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      writing.get(60, TimeUnit.SECONDS);
    }
    assertThat(back).isEqualTo(data);
    echo.join();
    listener.close();
    assertThat(listener.accept(Duration.ofMillis(1))).isNull();
  }

  @Test
  void receivesDatagramsUntilTheTimeIsOver() {
    BlockingDatagram service = left.datagram(TwoNodes.SID);
    BlockingDatagram client = right.datagram(null);
    client.send(service.localDag(), ByteBuffer.wrap(new byte[] {1, 2, 3}));
    BlockingDatagram.Message question = service.receive(SOON);
    assertThat(question.payload()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
    service.send(question.source(), ByteBuffer.wrap(new byte[] {4}));
    assertThat(client.receive(SOON).payload().get(0)).isEqualTo((byte) 4);
    assertThat(client.receive(Duration.ofMillis(5))).isNull();
    service.close();
    client.close();
  }

  @Test
  void tellsWhyAConnectionCannotBeOpenedAndWakesWhoeverReadsWhenItIsClosed() throws Exception {
    Dag nobody = Dag.path(TwoNodes.AD, net.nodes[0].localAddress().hid(), TwoNodes.SID);
    assertThatThrownBy(() -> right.connect(nobody, Duration.ofSeconds(2)))
        .isInstanceOf(XiaSocketException.class);
    BlockingListener listener = left.listen(TwoNodes.SID, 4);
    BlockingStream stream = right.connect(listener.localDag(), SOON);
    CompletableFuture<Integer> reading =
        CompletableFuture.supplyAsync(() -> stream.read(ByteBuffer.allocate(10)));
    CompletableFuture.runAsync(stream::close).get(60, TimeUnit.SECONDS);
    assertThat(reading.handle((n, failure) -> failure != null || n < 0).get(60, TimeUnit.SECONDS))
        .isTrue();
    assertThat(stream.isOpen()).isFalse();
  }

  @Test
  void readsWhatTheOptionSays() {
    assertThatThrownBy(() -> Stacks.open("carrier-pigeon:5"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("carrier-pigeon")
        .hasMessageContaining("node");
    assertThat(Stacks.providers()).containsKey("node");
    assertThat(right.readHandler("./xrc/n/proc/rt_HID.list")).contains("HID:");
    assertThat(right.localAddress().ad()).isEqualTo(TwoNodes.AD);
    assertThat(right.nameServer()).isNull();
  }
}
