package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.api.LocalApiServer;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A Click that does not run, does not answer, or is restarted under its programs. */
@Timeout(300)
class ClickGoneTest {
  private static final Xid SID = Xid.parse("SID:0f00000000000000000000000000000000000a01");

  @BeforeEach
  void library() {
    assumeThat(ClickGoneTest.class.getResource("/linux-x86-64/libXsocket.so"))
        .as("libXsocket.so is built where gcc is")
        .isNotNull();
  }

  @Test
  void aPortThatNobodyServesIsSaidAtOnce() throws Exception {
    int free;
    try (java.net.DatagramSocket socket =
        new java.net.DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      free = socket.getLocalPort();
    }

    assertThatThrownBy(() -> Stacks.open("libxsocket:ours@" + free))
        .isInstanceOf(XiaSocketException.class)
        .hasMessageContaining("nobody serves UDP port " + free)
        .hasMessageContaining("xmig node");
  }

  @Test
  void whoDoesNotAnswerIsGivenUpInTime() throws Exception {
    try (java.net.DatagramSocket mute =
        new java.net.DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      long start = System.nanoTime();

      assertThatThrownBy(() -> Stacks.open("libxsocket:ours@" + mute.getLocalPort()))
          .isInstanceOf(XiaSocketException.class)
          .hasMessageContaining("does not answer within")
          .hasMessageContaining("release 1.1");
      assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
    }
  }

  @Test
  void whoAnswersSomethingElseIsNotClick() throws Exception {
    try (java.net.DatagramSocket other =
        new java.net.DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      Thread echo = new Thread(() -> echo(other), "echo");
      echo.setDaemon(true);
      echo.start();

      assertThatThrownBy(() -> Stacks.open("libxsocket:ours@" + other.getLocalPort()))
          .isInstanceOf(XiaSocketException.class)
          .hasMessageContaining("not as Click of release 1.1");
    }
  }

  private static void echo(java.net.DatagramSocket socket) {
    byte[] buffer = new byte[2048];
    try {
      while (!socket.isClosed()) {
        var packet = new java.net.DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        socket.send(packet);
      }
    } catch (java.io.IOException closed) {
      return; // the test is over
    }
  }

  @Test
  void aLibraryThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> Stacks.open("libxsocket:/nonexistent/libXsocket.so@1500"))
        .hasMessageContaining("/nonexistent/libXsocket.so");
  }

  @Test
  void anAttemptToConnectThatIsGivenUpLeavesNothingBehind() throws Exception {
    try (TwoNodes nodes = new TwoNodes();
        XiaStack library = Stacks.open("libxsocket:ours@" + nodes.api0.port())) {
      Dag nowhere =
          Dag.path(TwoNodes.AD, Xid.parse("HID:00000000000000000000000000000000000000ff"), SID);
      long before = threads();

      assertThatThrownBy(
              () ->
                  library
                      .connect(nowhere, Duration.ofMillis(300), new StreamHandler() {})
                      .get(60, TimeUnit.SECONDS))
          .cause()
          .isInstanceOfSatisfying(
              XiaSocketException.class,
              e -> assertThat(e.kind()).isEqualTo(XiaSocketException.Kind.TIMED_OUT));
      org.awaitility.Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> threads() <= before);
    }
  }

  /** Threads that are inside a call of the library. */
  private static long threads() {
    return Thread.getAllStackTraces().values().stream()
        .filter(
            stack ->
                stack.length > 0
                    && stack[0].isNativeMethod()
                    && stack[0].getClassName().equals(Xsocket.Raw.class.getName()))
        .count();
  }

  @Test
  void afterARestartConnectionsAreLostAndServicesAreBoundAgain() throws Exception {
    try (TwoNodes nodes = new TwoNodes()) {
      int port = nodes.api0.port();
      try (XiaStack library = Stacks.open("libxsocket:ours@" + port)) {
        BlockingQueue<String> heard = new ArrayBlockingQueue<>(16);
        library
            .openDatagram(SID, (source, payload, in) -> heard.add("" + payload.remaining()))
            .get(60, TimeUnit.SECONDS);
        CompletableFuture<XiaSocketException> end = new CompletableFuture<>();
        Xid sid = Xid.parse("SID:0f00000000000000000000000000000000000a02");
        nodes.await(() -> nodes.stack1.listen(sid, 8, connection -> new StreamHandler() {}));
        library
            .connect(
                Dag.path(TwoNodes.AD, TwoNodes.HID1, sid),
                Duration.ofSeconds(5),
                new StreamHandler() {
                  @Override
                  public void onClosed(
                      StreamConnection connection, @Nullable XiaSocketException cause) {
                    end.complete(cause);
                  }
                })
            .get(60, TimeUnit.SECONDS);

        nodes.api0.close();
        try (LocalApiServer again = LocalApiServer.start(nodes.loop, nodes.stack0, port, false)) {
          assertThat(again.port()).isEqualTo(port);
          assertThat(end.get(60, TimeUnit.SECONDS)).hasMessageContaining("restarted");
          DatagramSocket sender =
              nodes.await(() -> nodes.stack1.openDatagram(null, (source, payload, in) -> {}));
          String got = null;
          for (int i = 0; i < 100 && got == null; i++) {
            nodes.call(
                () -> {
                  sender.send(
                      Dag.path(TwoNodes.AD, TwoNodes.HID0, SID), ByteBuffer.wrap(new byte[7]));
                  return null;
                });
            got = heard.poll(100, TimeUnit.MILLISECONDS);
          }
          assertThat(got).isEqualTo("7");
        }
      }
    }
  }
}
