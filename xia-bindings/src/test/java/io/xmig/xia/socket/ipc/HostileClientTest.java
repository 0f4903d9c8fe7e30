package io.xmig.xia.socket.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.xmig.xia.testkit.Seeds;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that break the protocol: they lose their connection, everybody else goes on. */
@Timeout(300)
class HostileClientTest {
  @TempDir Path dir;
  private TwoNodes net;

  @BeforeEach
  void start() throws Exception {
    net = new TwoNodes(dir, 1500);
  }

  @AfterEach
  void stop() {
    net.close();
  }

  private SocketChannel raw() throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(net.sockets[0]));
    return channel;
  }

  static ByteBuffer message(int op, int length, int handle, int tag, byte[] body) {
    return ByteBuffer.allocate(16 + body.length)
        .putInt(length)
        .put((byte) op)
        .put(new byte[3])
        .putInt(handle)
        .putInt(tag)
        .put(body)
        .flip();
  }

  private static ByteBuffer hello() {
    ByteBuffer body = ByteBuffer.allocate(16).putInt(Op.MAGIC).putInt(Op.VERSION);
    return message(Op.HELLO.code, 16, 0, 0, body.array());
  }

  private static void readToTheEnd(SocketChannel channel) throws IOException {
    ByteBuffer sink = ByteBuffer.allocate(4096);
    try {
      while (channel.read(sink.clear()) >= 0) {
        // answers do not matter
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("reset");
    }
  }

  private void stillServes() throws Exception {
    try (IpcStack good = net.connect(0)) {
      assertThat(TwoNodes.await(good, () -> CompletableFuture.completedFuture(good.localAddress())))
          .isNotNull();
    }
  }

  @Test
  void endsTheConnectionOfWhoeverClaimsALengthBeyondTheLimit() throws Exception {
    int[][] bad = {
      {Op.CONNECT.code, Integer.MAX_VALUE},
      {Op.CONNECT.code, -1},
      {Op.PUT.code, 65 << 20},
      {Op.PUT.code, 3},
      {Op.WRITE_HANDLER.code, 17 << 20},
      {0, 0},
      {63, 0},
      {Op.WELCOME.code, 10}
    };
    for (int[] opAndLength : bad) {
      try (SocketChannel channel = raw()) {
        channel.write(hello());
        channel.write(message(opAndLength[0], opAndLength[1], 1, 1, new byte[0]));
        channel.write(ByteBuffer.allocate(200));
        readToTheEnd(channel);
      } catch (IOException e) {
        assertThat(e).hasMessageMatching(".*(Broken pipe|reset).*"); // it was quicker than we
      }
    }
    stillServes();
  }

  @Test
  void refusesRequestsBeforeTheGreetingAndOfAnotherProtocol() throws Exception {
    for (ByteBuffer first :
        new ByteBuffer[] {
          message(Op.OPEN_CHUNKS.code, 0, 1, 1, new byte[0]),
          message(Op.HELLO.code, 16, 0, 0, new byte[16]),
          ByteBuffer.wrap("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes())
        }) {
      try (SocketChannel channel = raw()) {
        channel.write(first);
        readToTheEnd(channel);
      }
    }
    stillServes();
  }

  @Test
  void survivesRandomMessagesOfEveryKind() throws Exception {
    long[] seeds = Seeds.seeds().limit(Math.min(60, Seeds.seeds().count())).toArray();
    for (long seed : seeds) {
      Random random = new Random(seed);
      try (SocketChannel channel = raw()) {
        channel.write(hello());
        for (int i = 0; i < 20; i++) {
          Op op = Op.values()[random.nextInt(Op.values().length)];
          byte[] body = new byte[random.nextInt(100)];
          random.nextBytes(body);
          int length = random.nextInt(4) == 0 ? random.nextInt(1000) : body.length;
          channel.write(message(op.code, length, random.nextInt(4), i, body));
        }
      } catch (IOException e) {
        assertThat(e).hasMessageMatching(".*(Broken pipe|reset).*");
      }
    }
    stillServes();
    await().until(() -> net.on(() -> net.servers[0].clients()) == 0);
  }

  @Test
  void doesNotBufferForAClientThatAsksAndNeverReads() throws Exception {
    try (SocketChannel channel = raw()) {
      channel.write(hello());
      channel.configureBlocking(false);
      byte[] path = "./xrc/n/proc/rt_HID.list".getBytes();
      ByteBuffer ask = message(Op.READ_HANDLER.code, path.length, 0, 1, path);
      int refused = 0;
      long sent = 0;
      while (refused < 50 && sent < 1_000_000) {
        if (channel.write(ask.rewind()) == 0) {
          refused++;
          net.on(() -> 0);
        } else if (ask.hasRemaining()) {
          break;
        } else {
          sent++;
        }
      }
      assertThat(sent).as("the node stopped reading").isLessThan(200_000);
      stillServes();
    }
  }
}
