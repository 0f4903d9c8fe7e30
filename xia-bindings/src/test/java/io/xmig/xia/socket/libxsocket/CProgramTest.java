package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.testkit.Seeds;
import io.xmig.xia.testkit.Vectors;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs in C, built with gcc against the library, on two of our nodes. */
@Timeout(300)
class CProgramTest {
  private static final Path HEADERS = Path.of("src/main/c").toAbsolutePath();
  private static final Path SOURCES = Path.of("src/test/c").toAbsolutePath();
  private static final Path LIBRARY = Path.of("target/classes/linux-x86-64").toAbsolutePath();

  @TempDir static Path directory;
  private static TwoNodes nodes;

  @BeforeAll
  static void build() throws Exception {
    assumeThat(Files.exists(LIBRARY.resolve("libXsocket.so")))
        .as("the library is built where gcc is")
        .isTrue();
    compile("xsocket_test.c", "xsocket_test", "-L" + LIBRARY, "-lXsocket", "-Wl,-rpath," + LIBRARY);
    nodes = new TwoNodes();
    Files.writeString(
        directory.resolve("xsockconf.ini"),
        "[host0]\nclick_port="
            + nodes.api0.port()
            + "\n[host1]\nclick_port="
            + nodes.api1.port()
            + "\n");
  }

  @AfterAll
  static void stop() {
    if (nodes != null) {
      nodes.close();
    }
  }

  private static void compile(String source, String program, String... more) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "gcc",
                "-std=gnu11",
                "-D_GNU_SOURCE",
                "-Wall",
                "-Werror",
                "-I" + HEADERS,
                SOURCES.resolve(source).toString(),
                "-o",
                directory.resolve(program).toString()));
    command.addAll(List.of(more));
    Process gcc = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(gcc.waitFor()).as(said).isZero();
  }

  /** A running program and what it has said. */
  private static final class Program {
    private final Process process;
    private final BufferedReader output;

    Program(String host, String... arguments) throws IOException {
      List<String> command = new ArrayList<>(List.of(directory.resolve("xsocket_test").toString()));
      command.addAll(List.of(arguments));
      ProcessBuilder builder =
          new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
      builder.environment().put("XSOCKCONF_SECTION", host);
      builder.environment().put("XSOCKCONF", directory.resolve("xsockconf.ini").toString());
      process = builder.start();
      output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    List<String> readUntil(String word) throws IOException {
      List<String> lines = new ArrayList<>();
      String line;
      while ((line = output.readLine()) != null && !line.equals(word)) {
        lines.add(line);
      }
      assertThat(line).as("output before: " + lines).isEqualTo(word);
      return lines;
    }

    void expectOk() throws Exception {
      readUntil("ok");
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
    }
  }

  private static String service(String sid) {
    return Dag.path(TwoNodes.AD, TwoNodes.HID1, Xid.parse(sid)).toString();
  }

  @Test
  void aStreamIsEchoed() throws Exception {
    String sid = "SID:0f00000000000000000000000000000000000901";
    Program server = new Program("host1", "stream-server", sid);
    server.readUntil("ready");

    new Program("host0", "stream-client", service(sid)).expectOk();
    server.expectOk();
  }

  @Test
  void datagramsAreEchoed() throws Exception {
    String sid = "SID:0f00000000000000000000000000000000000902";
    Program server = new Program("host1", "dgram-server", sid);
    server.readUntil("ready");

    new Program("host0", "dgram-client", service(sid)).expectOk();
    server.expectOk();
  }

  @Test
  void chunksPutOnOneHostAreReadOnTheOther() throws Exception {
    Program owner = new Program("host1", "put");
    List<String> dags = new ArrayList<>(List.of("get"));
    for (String line : owner.readUntil("ready")) {
      Xid cid = Xid.parse("CID:" + line.substring("cid ".length()));
      dags.add(Dag.withFallback(List.of(TwoNodes.AD, TwoNodes.HID1), cid).toString());
    }
    assertThat(dags).hasSize(21);

    new Program("host0", dags.toArray(new String[0])).expectOk();
    owner.process.getOutputStream().close();
    owner.expectOk();
  }

  @Test
  void whatThePrototypeRefusesIsRefusedWithItsErrors() throws Exception {
    new Program("host0", "errors", "SID:0f00000000000000000000000000000000000903").expectOk();
  }

  @Test
  void datagramsArePeekedAtReadInPartsWaitedForAndSentByChildren() throws Exception {
    new Program("host0", "datagrams", "SID:0f00000000000000000000000000000000000904").expectOk();
  }

  @Test
  void connectionsAreAcceptedFromTheirOwnSocketAndStreamsEnd() throws Exception {
    new Program(
            "host0",
            "streams",
            "SID:0f00000000000000000000000000000000000905",
            "SID:0f00000000000000000000000000000000000906")
        .expectOk();
  }

  @Test
  void everyRawSocketHearsAnAnswer() throws Exception {
    new Program("host0", "raws", Dag.path(TwoNodes.AD, TwoNodes.HID1).toString()).expectOk();
  }

  @Test
  void valuesOfIniFilesAreReadAndWritten() throws Exception {
    new Program("host0", "inis", directory.resolve("values.ini").toString()).expectOk();
  }

  /** Names that a program linked against the prototype's library may need. */
  @Test
  void theLibraryExportsWhatThePrototypesDoes() throws Exception {
    List<String> names =
        List.of(
            ("Xaccept Xaccept4 XallocCacheSlice Xbind Xclose Xconnect Xfcntl XfreeCacheSlice"
                    + " XfreeChunkInfo Xfreeaddrinfo Xgai_strerror XgetChunkStatus"
                    + " XgetChunkStatuses XgetDAGbyName Xgetaddrinfo Xgetpeername Xgetsockname"
                    + " Xgetsockopt XisDualStackRouter XputBuffer XputChunk XputFile XreadChunk"
                    + " XreadLocalHostAddr XreadNameServerDAG Xrecv Xrecvfrom XregisterName"
                    + " XremoveChunk XrequestChunk XrequestChunks XrootDir Xsend Xsendto"
                    + " Xsetsockopt Xsocket XupdateAD XupdateNameServerDAG checkDag checkXid"
                    + " print_conf set_conf ini_gets ini_getl ini_getf ini_getbool ini_getkey"
                    + " ini_getsection ini_puts ini_putl ini_putf _conf xerr_unimplemented")
                .split(" "));
    com.sun.jna.NativeLibrary library =
        com.sun.jna.NativeLibrary.getInstance(LIBRARY.resolve("libXsocket.so").toString());

    assertThat(names)
        .allSatisfy(name -> assertThat(library.getGlobalVariableAddress(name)).isNotNull());
  }

  @Test
  void moreChunksAreAskedForThanFitIntoOneMessage() throws Exception {
    new Program("host0", "manychunks", Dag.path(TwoNodes.AD, TwoNodes.HID1).toString()).expectOk();
  }

  @Test
  void theServiceOfAProgramThatDiedCanBeBoundAgain() throws Exception {
    String sid = "SID:0f00000000000000000000000000000000000907";
    Program died = new Program("host0", "die", sid);
    died.readUntil("ready");
    assertThat(died.process.waitFor(60, TimeUnit.SECONDS)).isTrue();

    new Program("host0", "bind", sid).expectOk();
  }

  /**
   * Somebody who answers like Click, with bytes changed; keeps {@code XRECV}s coming for readers.
   */
  private static void lie(DatagramSocket socket, long seed) {
    List<Vectors.Vector> vectors = Vectors.load("api");
    Random random = new Random(seed);
    byte[] question = new byte[70_000];
    try {
      while (true) {
        DatagramPacket asked = new DatagramPacket(question, question.length);
        socket.receive(asked);
        int type = asked.getLength() > 1 ? question[1] : 0;
        if (type == 1 && random.nextInt(5) > 0) { // or there would hardly ever be a socket
          byte[] opened = Vectors.get("api", "xsocket_reply").bytes();
          socket.send(new DatagramPacket(opened, opened.length, asked.getSocketAddress()));
          continue;
        }
        List<byte[]> likely =
            vectors.stream()
                .map(Vectors.Vector::bytes)
                .filter(b -> b.length > 1 && (b[1] == type || b[1] == 18 || b[1] == 8))
                .toList();
        for (int i = random.nextInt(3) + 1; i > 0; i--) {
          byte[] bytes = likely.get(random.nextInt(likely.size())).clone();
          for (int flips = random.nextInt(3); flips > 0; flips--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
          }
          int length = random.nextInt(8) == 0 ? random.nextInt(bytes.length) : bytes.length;
          socket.send(new DatagramPacket(bytes, length, asked.getSocketAddress()));
        }
      }
    } catch (IOException e) {
      return; // the test is over
    }
  }

  @Test
  void answersThatLieNeitherCrashNorHoldUpTheLibrary() throws Exception {
    List<String> sources = new ArrayList<>();
    try (Stream<Path> files = Files.list(HEADERS)) {
      files.map(Path::toString).filter(f -> f.endsWith(".c")).forEach(sources::add);
    }
    sources.addAll(
        List.of("-fsanitize=address,undefined", "-fno-sanitize-recover", "-g", "-pthread"));
    try {
      compile("xsocket_test.c", "hostile_test", sources.toArray(new String[0]));
    } catch (AssertionError e) {
      sources.removeIf(word -> word.contains("sanitize")); // a gcc without the sanitizers
      compile("xsocket_test.c", "hostile_test", sources.toArray(new String[0]));
    }
    try (DatagramSocket liar = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      Thread lying = new Thread(() -> lie(liar, Seeds.seeds().findFirst().orElse(1)), "liar");
      lying.setDaemon(true);
      lying.start();
      Path conf = directory.resolve("hostile.ini");
      Files.writeString(conf, "[liar]\nclick_port=" + liar.getLocalPort() + "\n");
      ProcessBuilder builder =
          new ProcessBuilder(directory.resolve("hostile_test").toString(), "hostile", "400")
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("hostile.log").toFile());
      builder
          .environment()
          .putAll(
              Map.of(
                  "XSOCKCONF",
                  conf.toString(),
                  "XSOCKCONF_SECTION",
                  "liar",
                  "XSOCK_TIMEOUT_MS",
                  "3"));
      Process program = builder.start();
      boolean ended = program.waitFor(60, TimeUnit.SECONDS);
      program.destroyForcibly().waitFor();
      String said = Files.readString(directory.resolve("hostile.log"));
      assertThat(ended).as("the program ends: " + said).isTrue();
      assertThat(said).isEqualTo("ok\n");
    }
  }

  @Test
  void theStructuresAreLaidOutAsTheCompilerSays() throws Exception {
    compile("layout.c", "layout");
    Process layout = new ProcessBuilder(directory.resolve("layout").toString()).start();
    Map<String, Integer> c = new TreeMap<>();
    for (String line :
        new String(layout.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
      c.put(
          line.substring(0, line.indexOf(' ')),
          Integer.valueOf(line.substring(line.indexOf(' ') + 1)));
    }

    assertThat(c)
        .containsEntry("sockaddr_x", io.xmig.xia.addr.SockaddrX.LENGTH)
        .containsEntry("sockaddr_x.sx_addr", 4)
        .containsEntry("node_t", Dag.NODE_LENGTH)
        .containsEntry("ChunkContext", Structs.ChunkContext.SIZE)
        .containsEntry("ChunkContext.contextID", Structs.ChunkContext.CONTEXT_ID)
        .containsEntry("ChunkContext.cachePolicy", Structs.ChunkContext.CACHE_POLICY)
        .containsEntry("ChunkContext.cacheSize", Structs.ChunkContext.CACHE_SIZE)
        .containsEntry("ChunkContext.ttl", Structs.ChunkContext.TTL)
        .containsEntry("ChunkInfo", Structs.ChunkInfo.LENGTH)
        .containsEntry("ChunkInfo.cid", Structs.ChunkInfo.CID)
        .containsEntry("ChunkInfo.ttl", Structs.ChunkInfo.TTL)
        .containsEntry("ChunkInfo.timestamp", Structs.ChunkInfo.TIMESTAMP)
        .containsEntry("ChunkStatus", Structs.ChunkStatus.SIZE)
        .containsEntry("ChunkStatus.cidLen", Structs.ChunkStatus.CID_LEN)
        .containsEntry("ChunkStatus.status", Structs.ChunkStatus.STATUS)
        .containsEntry("addrinfo", Structs.AddrInfo.SIZE)
        .containsEntry("addrinfo.ai_addrlen", Structs.AddrInfo.ADDRLEN)
        .containsEntry("addrinfo.ai_addr", Structs.AddrInfo.ADDR)
        .containsEntry("addrinfo.ai_canonname", Structs.AddrInfo.CANONNAME)
        .containsEntry("addrinfo.ai_next", Structs.AddrInfo.NEXT);
  }
}
