package io.xmig.control.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.xmig.control.pipe.FailureMark;
import io.xmig.control.resident.ResidentClient;
import io.xmig.control.resident.ResidentPipe;
import io.xmig.control.resident.ResidentServer;
import io.xmig.control.session.QemuStreams;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.Stacks;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Resident pipes of two hosts; the QEMUs are sockets of this test. */
@Timeout(300)
class ResidentPipesTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int MOST = 3;

  @TempDir Path dir;
  private Wire wire;
  private final StringWriter said = new StringWriter();
  private final CountDownLatch quit = new CountDownLatch(1);
  private final List<Transfers> transfers = new ArrayList<>();
  private final List<ResidentServer> servers = new ArrayList<>();
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    wire = new Wire(dir);
    for (int host = 0; host < 2; host++) {
      serve(host);
    }
  }

  /** Where the transfers of a host get their stacks. */
  StackSource stacks(Wire on, int host) {
    return StackSource.BY_OPTION;
  }

  private void serve(int host) throws IOException {
    Transfers made =
        new Transfers(
            wire.stack(host),
            stacks(wire, host),
            MOST,
            new PrintWriter(said, true),
            (n, begun) -> {},
            quit::countDown);
    transfers.add(made);
    servers.add(new ResidentServer(control(host), made));
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    servers.forEach(ResidentServer::close);
    transfers.forEach(Transfers::close);
    wire.close();
  }

  private Path control(int host) {
    return dir.resolve("pipes" + host);
  }

  private static Xid service(String name) {
    return Destination.service(name);
  }

  private ResidentPipe sender(String name, String... more) {
    List<String> words = new ArrayList<>(List.of("send", "--to", wire.service(1, service(name))));
    words.addAll(List.of(more));
    return new ResidentPipe(control(0), dir, "send-" + name, words);
  }

  private ResidentPipe receiver(String name, String... more) {
    List<String> words = new ArrayList<>(List.of("receive", "--service", service(name).toString()));
    words.addAll(List.of(more));
    return new ResidentPipe(control(1), dir, "receive-" + name, words);
  }

  private static UnixDomainSocketAddress qemu(ResidentPipe pipe) {
    return UnixDomainSocketAddress.of(pipe.uri().substring("unix:".length()));
  }

  /** As QEMU does for {@code migrate unix:}. */
  private SocketChannel source(ResidentPipe pipe) throws IOException {
    pipe.prepare();
    SocketChannel socket = SocketChannel.open(qemu(pipe));
    open.add(socket);
    return socket;
  }

  /** As QEMU does for {@code migrate-incoming unix:}; what has come once the other end closes. */
  private CompletableFuture<byte[]> destination(ResidentPipe pipe) throws IOException {
    pipe.prepare();
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(qemu(pipe));
    open.add(server);
    CompletableFuture<byte[]> all = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              ByteArrayOutputStream got = new ByteArrayOutputStream();
              try (SocketChannel socket = server.accept()) {
                open.add(socket);
                ByteBuffer part = ByteBuffer.allocate(1 << 16);
                while (socket.read(part.clear()) >= 0) {
                  got.write(part.array(), 0, part.position());
                }
                all.complete(got.toByteArray());
              } catch (IOException e) {
                all.completeExceptionally(e);
              }
            });
    reader.setDaemon(true);
    reader.start();
    return all;
  }

  private static void write(SocketChannel socket, byte[] bytes) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(bytes);
    while (left.hasRemaining()) {
      socket.write(left);
    }
  }

  private static int exit(ResidentPipe pipe) {
    await().atMost(LIMIT).until(() -> pipe.exitStatus().isPresent());
    return pipe.exitStatus().getAsInt();
  }

  private static byte[] stream(int seed, int pages) {
    return QemuStreams.make(new SplittableRandom(seed), pages, true, false).bytes();
  }

  private static byte[] get(CompletableFuture<byte[]> result) throws Exception {
    return result.get(60, TimeUnit.SECONDS);
  }

  @Test
  void oneAfterTheOtherAndTwoAtOnceArriveUnchanged() throws Exception {
    for (int round = 0; round < 3; round++) {
      String first = "a" + round;
      String second = "b" + round;
      byte[] one = stream(round, 2000);
      byte[] two = stream(100 + round, 1000);
      ResidentPipe toOne = receiver(first);
      ResidentPipe toTwo = receiver(second, "--raw");
      CompletableFuture<byte[]> gotOne = destination(toOne);
      CompletableFuture<byte[]> gotTwo = destination(toTwo);
      ResidentPipe fromOne = sender(first, "--compress", "on");
      ResidentPipe fromTwo = sender(second, "--raw");
      try (SocketChannel sourceOne = source(fromOne);
          SocketChannel sourceTwo = source(fromTwo)) {
        Thread other =
            new Thread(
                () -> {
                  try {
                    write(sourceTwo, two);
                    sourceTwo.close();
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                });
        other.start();
        write(sourceOne, one);
        sourceOne.close();
        other.join();
      }
      assertThat(get(gotOne)).isEqualTo(one);
      assertThat(get(gotTwo)).isEqualTo(two);
      for (ResidentPipe pipe : List.of(toOne, toTwo, fromOne, fromTwo)) {
        assertThat(exit(pipe)).as(pipe.lastWords()).isZero();
        assertThat(qemu(pipe).getPath()).satisfies(p -> assertThat(pipe.lastWords()).isEmpty());
      }
      assertThat(qemu(fromOne).getPath()).doesNotExist();
    }
    await().atMost(LIMIT).until(() -> transfers.stream().allMatch(t -> t.count() == 0));
  }

  /** A transfer from the first host to the second. */
  final void carry(String name) throws Exception {
    byte[] bytes = stream(3, 1500);
    ResidentPipe to = receiver(name);
    CompletableFuture<byte[]> got = destination(to);
    ResidentPipe from = sender(name);
    try (SocketChannel source = source(from)) {
      write(source, bytes);
    }
    assertThat(get(got)).isEqualTo(bytes);
    assertThat(exit(to)).isZero();
    assertThat(exit(from)).isZero();
  }

  @Test
  void nobodyWaitsForTheLastMessageOnceThePeerHasIt() throws Exception {
    byte[] bytes = stream(7, 500);
    ResidentPipe to = receiver("patient", "--linger", "10m");
    CompletableFuture<byte[]> got = destination(to);
    ResidentPipe from = sender("patient", "--linger", "10m");
    try (SocketChannel source = source(from)) {
      write(source, bytes);
    }
    assertThat(get(got)).isEqualTo(bytes);
    assertThat(exit(to)).as(to.lastWords()).isZero();
    assertThat(exit(from)).as(from.lastWords()).isZero();
  }

  @Test
  void aCancelEndsOneOfTwoAndItsEndIsNotWritten() throws Exception {
    byte[] whole = stream(1, 1500);
    ResidentPipe keptTo = receiver("kept");
    ResidentPipe cancelledTo = receiver("cancelled");
    CompletableFuture<byte[]> kept = destination(keptTo);
    CompletableFuture<byte[]> cancelled = destination(cancelledTo);
    ResidentPipe keptFrom = sender("kept");
    ResidentPipe cancelledFrom = sender("cancelled");
    SocketChannel keptSource = source(keptFrom);
    SocketChannel cancelledSource = source(cancelledFrom);
    write(keptSource, java.util.Arrays.copyOf(whole, 1_000_000));
    write(cancelledSource, java.util.Arrays.copyOf(whole, 1_000_000));
    cancelledSource.close();
    assertThat(exit(cancelledFrom)).isEqualTo(1);
    assertThat(cancelledFrom.lastWords()).contains("has no end");
    assertThat(exit(cancelledTo)).isEqualTo(1);
    assertThat(get(cancelled).length).isLessThanOrEqualTo(1_000_000 - 16);
    write(keptSource, java.util.Arrays.copyOfRange(whole, 1_000_000, whole.length));
    keptSource.close();
    assertThat(get(kept)).isEqualTo(whole);
    assertThat(exit(keptFrom)).isZero();
    assertThat(exit(keptTo)).isZero();
  }

  @Test
  void aKilledSenderClosesQemusSocketAndTheOtherSideEnds() throws Exception {
    ResidentPipe to = receiver("k");
    CompletableFuture<byte[]> got = destination(to);
    ResidentPipe from = sender("k");
    SocketChannel source = source(from);
    write(source, new byte[300_000]);
    from.kill();
    assertThat(exit(from)).isEqualTo(137);
    assertThatThrownBy(
            () -> {
              while (true) {
                write(source, new byte[1 << 16]);
              }
            })
        .isInstanceOf(IOException.class);
    assertThat(exit(to)).isEqualTo(1);
    get(got);
    from.kill(); // harmless
  }

  @Test
  void aTerminatedReceiverTellsTheSource() throws Exception {
    ResidentPipe to = receiver("t");
    destination(to);
    ResidentPipe from = sender("t");
    SocketChannel source = source(from);
    write(source, new byte[300_000]);
    await().atMost(LIMIT).until(() -> transfers.get(1).count() == 1);
    to.terminate();
    assertThat(exit(to)).isEqualTo(143);
    assertThat(exit(from)).isEqualTo(1);
    assertThat(from.lastWords()).contains("stopped by a signal");
  }

  @Test
  void aDestinationThatGoesAwayWhileNobodySendsEndsItsTransfer() throws Exception {
    ResidentPipe to = receiver("q");
    to.prepare();
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(qemu(to));
      server.accept().close();
    }
    assertThat(exit(to)).isEqualTo(1);
    assertThat(to.lastWords()).contains("QEMU has closed its connection");
  }

  @Test
  void aSenderThatFindsNobodyFailsAndADestinationWithoutASourceGetsTheMark() throws Exception {
    ResidentPipe from = sender("nobody", "--connect-timeout", "500ms");
    SocketChannel source = source(from);
    assertThat(exit(from)).isEqualTo(1);
    assertThat(from.lastWords()).isNotEmpty();
    assertThat(source.read(ByteBuffer.allocate(1))).isNegative();
    ResidentPipe to = receiver("nobody", "--accept-timeout", "200ms");
    assertThat(get(destination(to))).isEqualTo(FailureMark.bytes());
    assertThat(exit(to)).isEqualTo(1);
  }

  @Test
  void aNodeThatIsNotThereIsAnExitStatusAndTheMark() throws Exception {
    String none = "node:" + dir.resolve("none");
    ResidentPipe to = receiver("n", "--xia", none);
    assertThat(get(destination(to))).isEqualTo(FailureMark.bytes());
    assertThat(exit(to)).isEqualTo(1);
    ResidentPipe from = sender("n", "--xia", none);
    from.prepare();
    assertThat(exit(from)).isEqualTo(1);
    assertThat(from.lastWords()).contains("none");
    assertThat(qemu(from).getPath()).doesNotExist();
  }

  @Test
  void whatIsLeftAtAPathIsReplacedButNotAProcessThatAnswers() throws Exception {
    ServerSocketChannel left = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    ResidentPipe from = sender("s", "--raw");
    left.bind(qemu(from));
    left.close(); // its file stays, as after a crash
    CompletableFuture<byte[]> got = destination(receiver("s", "--raw"));
    try (SocketChannel source = source(from)) {
      write(source, new byte[] {1, 2, 3});
    }
    assertThat(get(got)).containsExactly(1, 2, 3);

    assertThatThrownBy(() -> new ResidentServer(control(0), transfers.get(0)))
        .hasMessageContaining("another process listens on");
    servers.get(0).close();
    try (ServerSocketChannel stale = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      stale.bind(UnixDomainSocketAddress.of(control(0)));
    }
    serve(0);
    try (ResidentClient client = new ResidentClient(control(0))) {
      assertThat(client.hello().stack()).isEqualTo(wire.stack(0));
    }
  }

  @Test
  void asManyAsAllowedAndEachNameOnce() throws Exception {
    for (int i = 0; i < MOST; i++) {
      receiver("m" + i).prepare();
    }
    assertThatThrownBy(() -> receiver("m9").prepare()).hasMessageContaining("--max-transfers");
    assertThat(receiver("m9").exitStatus()).isEmpty();
    receiver("m0").terminate();
    assertThat(exit(receiver("m0"))).isEqualTo(143);
    await().atMost(LIMIT).until(() -> transfers.get(1).count() == MOST - 1);
    assertThatThrownBy(() -> receiver("m1").prepare()).hasMessageContaining("of that name");
    receiver("m9").prepare();
    receiver("m9").kill();
    assertThat(exit(receiver("m9"))).isEqualTo(137);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hello | not JSON",
        "[] | not a JSON object",
        "{} | 'do' must be",
        "{'do':'fly'} | 'do' must be",
        "{'do':'kill'} | 'id' is missing",
        "{'do':'kill','id':'x/y'} | 'id' is longer",
        "{'do':'kill','id':'x'} | no such transfer",
        "{'do':'start','id':'x'} | 'words' must be an array",
        "{'do':'start','id':'x','words':[1],'qemu':'/x','exit':'/y'} | must be texts",
        "{'do':'start','id':'x','words':['send'],'qemu':'x','exit':'/y'} | absolute",
        "{'do':'start','id':'x','words':['fly'],'qemu':'/x','exit':'/y'} | send or receive",
        "{'do':'start','id':'x','words':['send'],'qemu':'/x','exit':'/y'} | --to",
        "{'do':'start','id':'x','words':['send','--to','v','--detach'],'qemu':'/x','exit':'/y'}"
            + " | process of its own",
        "{'do':'start','id':'x','words':['send','--to','v','--status','fd:1'],'qemu':'/x','exit':'/y'}"
            + " | process of its own",
        "{'do':'start','id':'x','words':['receive','--in-flight','1'],'qemu':'/x','exit':'/y'}"
            + " | --in-flight",
        "{'do':'start','id':'x','words':['send','--to','v'],'qemu':'/none/x','exit':'/y'}"
            + " | cannot listen for QEMU",
      })
  void aBadRequestIsAnsweredAndTheNextOneServed(String request, String answer) throws Exception {
    try (SocketChannel socket = SocketChannel.open(UnixDomainSocketAddress.of(control(0)))) {
      write(socket, (request.replace('\'', '"') + "\n").getBytes(StandardCharsets.UTF_8));
      assertThat(line(socket)).contains("\"ok\":false").contains(answer);
      write(socket, "{\"do\":\"hello\"}\n".getBytes(StandardCharsets.UTF_8));
      assertThat(line(socket)).contains("\"ok\":true").contains("\"transfers\":0");
    }
  }

  private static String line(SocketChannel socket) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    StringBuilder line = new StringBuilder();
    while (socket.read(one.clear()) > 0 && one.get(0) != '\n') {
      line.append((char) one.get(0));
    }
    return line.toString();
  }

  @Test
  void anEndlessLineEndsTheConnectionAndRandomBytesHarmNobody() throws Exception {
    try (SocketChannel socket = SocketChannel.open(UnixDomainSocketAddress.of(control(0)))) {
      byte[] endless = new byte[70_000];
      java.util.Arrays.fill(endless, (byte) 'x');
      assertThatThrownBy(
              () -> {
                while (true) {
                  write(socket, endless);
                }
              })
          .isInstanceOf(IOException.class);
    }
    for (int seed = 0; seed < 50; seed++) {
      try (SocketChannel socket = SocketChannel.open(UnixDomainSocketAddress.of(control(0)))) {
        byte[] noise = new byte[500];
        new Random(seed).nextBytes(noise);
        write(socket, noise);
      }
    }
    try (ResidentClient client = new ResidentClient(control(0))) {
      assertThat(client.hello().transfers()).isZero();
      client.quit();
    }
    assertThat(quit.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aProcessThatIsGoneWithoutAnExitStatusCountsAsKilled() throws Exception {
    ResidentPipe pipe = receiver("gone");
    assertThat(pipe.exitStatus()).isEmpty();
    Process process = new ProcessBuilder("sleep", "60").start();
    Files.writeString(
        dir.resolve("receive-gone.process"),
        process.pid() + " " + process.info().startInstant().orElseThrow() + "\n");
    assertThat(pipe.exitStatus()).isEmpty();
    process.destroyForcibly().waitFor();
    assertThat(pipe.exitStatus()).hasValue(137);
    Files.writeString(dir.resolve("receive-gone.exit"), "1\nwhy\n");
    assertThat(pipe.exitStatus()).hasValue(1);
    assertThat(pipe.lastWords()).isEqualTo("why");
  }

  @Test
  void theWarmUpMovesBytesAndStopsWhenToldTo() {
    await()
        .atMost(LIMIT)
        .until(
            () ->
                new WarmUp(() -> Stacks.open(wire.stack(0)), Duration.ofMillis(800)).run()
                    > 1 << 20);
    WarmUp stopped = new WarmUp(() -> Stacks.open(wire.stack(0)), Duration.ofSeconds(60));
    long began = System.nanoTime();
    Thread stopper =
        new Thread(
            () -> {
              try {
                Thread.sleep(300);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              stopped.stop();
            });
    stopper.start();
    stopped.run();
    assertThat(System.nanoTime() - began).isLessThan(50_000_000_000L);
  }
}
