package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.jna.ptr.IntByReference;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Java → JNA → C → local API → node → wire → node, and back. */
@Timeout(300)
class LibXsocketStackTest {
  private static final Xid SID = Xid.parse("SID:0f00000000000000000000000000000000000888");

  @TempDir static Path directory;
  private static TwoNodes nodes;
  private static XiaStack library;

  @BeforeAll
  static void start() throws Exception {
    assumeThat(LibXsocketStackTest.class.getResource("/linux-x86-64/libXsocket.so"))
        .as("libXsocket.so is built where gcc is")
        .isNotNull();
    nodes = new TwoNodes();
    library = Stacks.open("libxsocket:ours@" + nodes.api0.port());
  }

  @AfterAll
  static void stop() {
    if (library != null) {
      library.close();
    }
    if (nodes != null) {
      nodes.close();
    }
  }

  private static <T> T onLibrary(Callable<CompletableFuture<T>> call) throws Exception {
    CompletableFuture<CompletableFuture<T>> started = new CompletableFuture<>();
    library
        .loop()
        .execute(
            () -> {
              try {
                started.complete(call.call());
              } catch (Exception e) {
                started.completeExceptionally(e);
              }
            });
    return started.get(60, TimeUnit.SECONDS).get(60, TimeUnit.SECONDS);
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.US_ASCII.decode(bytes.duplicate()).toString();
  }

  @Test
  void readsTheAddressOfTheNode() {
    assertThat(library.localAddress().ad()).isEqualTo(TwoNodes.AD);
    assertThat(library.localAddress().hid()).isEqualTo(TwoNodes.HID0);
  }

  @Test
  void aDatagramGoesThereAndItsAnswerComesBack() throws Exception {
    DatagramSocket[] echo = new DatagramSocket[1];
    echo[0] =
        nodes.await(
            () ->
                nodes.stack1.openDatagram(
                    SID, (source, payload, port) -> echo[0].send(source, payload)));
    BlockingQueue<String> answers = new ArrayBlockingQueue<>(8);
    DatagramSocket socket =
        onLibrary(
            () ->
                library.openDatagram(null, (source, payload, port) -> answers.add(text(payload))));

    library
        .loop()
        .execute(() -> socket.send(Dag.path(TwoNodes.AD, TwoNodes.HID1, SID), ascii("hello")));

    assertThat(answers.poll(60, TimeUnit.SECONDS)).isEqualTo("hello");
    library.loop().execute(socket::close);
    nodes.call(
        () -> {
          echo[0].close();
          return null;
        });
  }

  /** Collects what a stream delivers. */
  private static final class Sink implements StreamHandler {
    final MessageDigest digest = sha1();
    final CompletableFuture<String> done = new CompletableFuture<>();
    final long expected;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    private long received;

    Sink(long expected) {
      this.expected = expected;
    }

    @Override
    public void onReadable(StreamConnection connection) {
      int read;
      while ((read = connection.read(buffer.clear())) > 0) {
        received += read;
        digest.update(buffer.flip());
        if (received == expected) {
          done.complete(org.apache.commons.codec.binary.Hex.encodeHexString(digest.digest()));
        }
      }
    }
  }

  /** Writes bytes as the stream takes them. */
  private static final class Source implements StreamHandler {
    private final ByteBuffer rest;

    Source(byte[] bytes) {
      rest = ByteBuffer.wrap(bytes);
    }

    @Override
    public void onWritable(StreamConnection connection) {
      while (rest.hasRemaining() && connection.write(rest) > 0) {
        continue;
      }
    }
  }

  private static MessageDigest sha1() {
    return org.apache.commons.codec.digest.DigestUtils.getSha1Digest();
  }

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void aStreamFromTheLibraryArrivesWhole() throws Exception {
    byte[] sent = random(8 << 20, 1);
    Xid sid = Xid.parse("SID:0f00000000000000000000000000000000000889");
    Sink sink = new Sink(sent.length);
    nodes.await(() -> nodes.stack1.listen(sid, 8, connection -> sink));
    Source source = new Source(sent);

    StreamConnection connection =
        onLibrary(
            () ->
                library.connect(
                    Dag.path(TwoNodes.AD, TwoNodes.HID1, sid), Duration.ofSeconds(30), source));
    library.loop().execute(() -> source.onWritable(connection));

    assertThat(sink.done.get(60, TimeUnit.SECONDS))
        .isEqualTo(org.apache.commons.codec.digest.DigestUtils.sha1Hex(sent));
    library.loop().execute(connection::close);
  }

  @Test
  void aStreamToTheLibraryArrivesWholeAlthoughItsReaderIsSlow() throws Exception {
    byte[] sent = random(8 << 20, 2);
    Xid sid = Xid.parse("SID:0f0000000000000000000000000000000000088a");
    Sink sink = new Sink(sent.length);
    onLibrary(() -> library.listen(sid, 8, connection -> sink));
    Source source = new Source(sent);

    StreamConnection connection =
        nodes.await(
            () ->
                nodes.stack1.connect(
                    Dag.path(TwoNodes.AD, TwoNodes.HID0, sid), Duration.ofSeconds(30), source));
    nodes.call(
        () -> {
          source.onWritable(connection);
          return null;
        });

    assertThat(sink.done.get(60, TimeUnit.SECONDS))
        .isEqualTo(org.apache.commons.codec.digest.DigestUtils.sha1Hex(sent));
  }

  /** What happens to a connection of the library whose peer ends it one way or the other. */
  private static CompletableFuture<String> endOf(Xid sid, Consumer<StreamConnection> end)
      throws Exception {
    nodes.await(
        () ->
            nodes.stack1.listen(
                sid,
                8,
                connection -> {
                  nodes.loop.schedule(50_000_000L, () -> end.accept(connection));
                  return new StreamHandler() {};
                }));
    CompletableFuture<String> heard = new CompletableFuture<>();
    onLibrary(
        () ->
            library.connect(
                Dag.path(TwoNodes.AD, TwoNodes.HID1, sid),
                Duration.ofSeconds(30),
                new StreamHandler() {
                  @Override
                  public void onReadable(StreamConnection connection) {
                    if (connection.read(ByteBuffer.allocate(8)) < 0) {
                      heard.complete("finished");
                    }
                  }

                  @Override
                  public void onClosed(
                      StreamConnection connection,
                      @org.jspecify.annotations.Nullable XiaSocketException cause) {
                    heard.complete(cause == null ? "closed" : cause.kind().toString());
                  }
                }));
    return heard;
  }

  @Test
  void theEndOfAStreamIsHeardThroughTheLibrary() throws Exception {
    Xid sid = Xid.parse("SID:0f0000000000000000000000000000000000088b");

    assertThat(endOf(sid, StreamConnection::close).get(60, TimeUnit.SECONDS)).isEqualTo("finished");
  }

  @Test
  void aResetIsHeardThroughTheLibrary() throws Exception {
    Xid sid = Xid.parse("SID:0f0000000000000000000000000000000000088c");

    assertThat(endOf(sid, StreamConnection::abort).get(60, TimeUnit.SECONDS)).isEqualTo("RESET");
  }

  @Test
  void aConnectionThatNobodyAcceptsIsRefused() {
    Xid nobody = Xid.parse("SID:0f000000000000000000000000000000000dead0");

    assertThatThrownBy(
            () ->
                onLibrary(
                    () ->
                        library.connect(
                            Dag.path(TwoNodes.AD, TwoNodes.HID1, nobody),
                            Duration.ofSeconds(15),
                            new StreamHandler() {})))
        .hasRootCauseInstanceOf(com.sun.jna.LastErrorException.class)
        .cause()
        .isInstanceOfSatisfying(
            XiaSocketException.class,
            e ->
                assertThat(e.kind())
                    .isIn(XiaSocketException.Kind.REFUSED, XiaSocketException.Kind.TIMED_OUT));
  }

  @Test
  void chunksGoThroughTheCacheBothWays() throws Exception {
    List<byte[]> chunks = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      chunks.add(random(i == 0 ? 1 : 15_600, 100 + i));
    }
    CacheSlice here = onLibrary(() -> library.allocateSlice(SliceOptions.unlimited()));
    CacheSlice there = nodes.await(() -> nodes.stack1.allocateSlice(SliceOptions.unlimited()));
    for (byte[] chunk : chunks.subList(0, 25)) {
      Xid cid = Cid.of(ByteBuffer.wrap(chunk));
      onLibrary(() -> here.put(cid, ByteBuffer.wrap(chunk)));
    }
    for (byte[] chunk : chunks.subList(25, 50)) {
      Xid cid = Cid.of(ByteBuffer.wrap(chunk));
      nodes.await(() -> there.put(cid, ByteBuffer.wrap(chunk)));
    }

    ChunkSocket fromNode = nodes.await(nodes.stack1::openChunks);
    ChunkSocket fromLibrary = onLibrary(library::openChunks);
    Fetch fetch = new Fetch(50);
    nodes.call(
        () -> {
          for (byte[] chunk : chunks.subList(0, 25)) {
            Xid cid = Cid.of(ByteBuffer.wrap(chunk));
            fromNode.request(here.dagOf(cid), ChunkSocket.UNKNOWN_LENGTH, fetch);
          }
          return null;
        });
    library
        .loop()
        .execute(
            () -> {
              for (byte[] chunk : chunks.subList(25, 50)) {
                Xid cid = Cid.of(ByteBuffer.wrap(chunk));
                fromLibrary.request(there.dagOf(cid), ChunkSocket.UNKNOWN_LENGTH, fetch);
              }
            });

    assertThat(fetch.done.get(60, TimeUnit.SECONDS)).isEmpty();
    library.loop().execute(fromLibrary::close);
    library.loop().execute(here::close);
  }

  /** Counts chunks whose bytes match their CID; collects what went wrong. */
  private static final class Fetch implements ChunkHandler {
    final CompletableFuture<List<String>> done = new CompletableFuture<>();
    private final List<String> problems = new ArrayList<>();
    private int left;

    Fetch(int chunks) {
      left = chunks;
    }

    @Override
    public synchronized void onChunk(Xid cid, ByteBuffer data) {
      count(Cid.of(data).equals(cid) ? null : "wrong bytes for " + cid);
    }

    @Override
    public synchronized void onFailed(Xid cid, XiaSocketException cause) {
      count(cid + ": " + cause.getMessage());
    }

    private void count(@org.jspecify.annotations.Nullable String problem) {
      if (problem != null) {
        problems.add(problem);
      }
      if (--left == 0) {
        done.complete(problems);
      }
    }
  }

  @Test
  void aChunkThatNobodyHasFails() throws Exception {
    ChunkSocket socket = onLibrary(library::openChunks);
    Fetch fetch = new Fetch(1);
    Xid nobodys = Xid.parse("CID:00000000000000000000000000000000deadbeef");
    library
        .loop()
        .execute(
            () ->
                socket.request(
                    Dag.withFallback(List.of(TwoNodes.AD, TwoNodes.HID1), nobodys),
                    ChunkSocket.UNKNOWN_LENGTH,
                    fetch));

    assertThat(fetch.done.get(120, TimeUnit.SECONDS)).singleElement().asString().contains("chunk");
    library.loop().execute(socket::close);
  }

  @Test
  void probesWithEveryHopLimitGoOutAlthoughNobodyAnswers() throws Exception {
    XcmpSocket socket = onLibrary(() -> library.openXcmp((source, message) -> {}));
    Dag nowhere = Dag.path(TwoNodes.AD, Xid.parse("HID:00000000000000000000000000000000000000ff"));
    long start = System.nanoTime();

    for (int i = 1; i <= 20; i++) {
      int hops = i;
      onLibrary(
          () -> {
            socket.echo(nowhere, 1, hops, ByteBuffer.allocate(8), hops);
            return CompletableFuture.completedFuture(null);
          });
    }

    assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
    library.loop().execute(socket::close);
  }

  @Test
  void aCallWithAnAnswerDoesNotWaitForOneThatWaitsForData() throws Exception {
    int fd = Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_DGRAM, 0);
    CompletableFuture<Integer> reading =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                ByteBuffer buffer = ByteBuffer.allocateDirect(100);
                return Xsocket.Xrecvfrom(fd, buffer, 100, 0, null, null);
              } catch (com.sun.jna.LastErrorException e) {
                return -e.getErrorCode();
              }
            });
    org.awaitility.Awaitility.await().until(() -> isInLibrary("Xrecvfrom"));
    long start = System.nanoTime();

    for (int i = 0; i < 20; i++) {
      Xsocket.Xsetsockopt(fd, Xsocket.XOPT_HLIM, new IntByReference(i), Integer.BYTES);
    }

    assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
    assertThat(reading).isNotDone();
    Xsocket.Xclose(fd);
    assertThat(reading.get(60, TimeUnit.SECONDS)).isEqualTo(-9); // EBADF
  }

  private static boolean isInLibrary(String function) {
    return Thread.getAllStackTraces().values().stream()
        .anyMatch(stack -> stack.length > 0 && stack[0].getMethodName().equals(function));
  }

  @Test
  void aLibraryThatIsNotThereIsNamedWithAHint() {
    assertThat(LibraryCheck.of("/nonexistent/libXsocket.so").problem())
        .contains("/nonexistent/libXsocket.so", "where is the prototype's libXsocket.so?");
  }

  @Test
  void aFileThatIsNoLibraryIsRefusedBeforeItIsLoaded() throws Exception {
    Path file =
        Files.writeString(directory.resolve("libXsocket.so"), "not a library, just some text");

    assertThat(LibraryCheck.of(file.toString()).problem()).contains("is not a shared library");
  }

  @Test
  void aLibraryWithoutTheFunctionsIsRefusedWithTheirNames() {
    LibraryCheck check = LibraryCheck.of("m");

    assertThat(check.missing()).contains("Xsocket", "XputChunk");
    assertThat(check.problem()).contains("it is not libXsocket of release 1.1");
  }
}
