package io.xmig.xia.click;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import io.xmig.xia.socket.control.ControlReply;
import io.xmig.xia.testkit.Vectors;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Fuzzing of Click files and control connections; in the normal build the seeds run, whole and
 * damaged.
 */
class ClickFuzzTest {
  static Stream<byte[]> files() {
    try (Stream<Path> files = Files.list(Path.of("..", "testbed", "topologies"))) {
      return files
          .map(
              file -> {
                try {
                  return Files.readAllBytes(file);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Stream<byte[]> commands() {
    return Vectors.load("controlsocket").stream()
        .filter(v -> v.fields().hasNonNull("command"))
        .map(v -> v.fields().get("command").asText().getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void aFileIsReadOrBlamed(byte[] bytes) {
    try {
      Topology topology = Topology.parse("fuzz", new String(bytes, StandardCharsets.UTF_8));
      assertThat(topology.links()).hasSizeLessThanOrEqualTo(bytes.length);
    } catch (ClickParseException e) {
      assertThat(e.line()).isPositive();
      assertThat(e.column()).isPositive();
      assertThat(e.pointer()).endsWith("^");
    }
  }

  @MethodSource("commands")
  @FuzzTest
  void aCommandIsAnswered(byte[] bytes) {
    HandlerRegistry tree = new HandlerRegistry();
    tree.element("router0/xrc/n/proc/rt_AD", "XIAXIDRouteTable", "")
        .readWrite("list", () -> "-,-7,,0\n", value -> {});
    ControlSession session = new ControlSession(tree);
    String answers = new String(session.receive(ByteBuffer.wrap(bytes)), StandardCharsets.UTF_8);
    assertThat(answers).matches("(?s)|[0-9]{3}[ -].*\n.*");
  }

  /** Bytes of a seed changed, repeated, left out and cut off, as often as there are seeds. */
  private static byte[] damaged(List<byte[]> seeds, Random random) {
    byte[] from = seeds.get(random.nextInt(seeds.size()));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int end = random.nextInt(4) == 0 ? random.nextInt(from.length + 1) : from.length;
    for (int i = 0; i < end; i++) {
      int what = random.nextInt(400);
      if (what > 1) {
        out.write(what == 2 ? random.nextInt(256) : from[i]);
      }
      if (what == 1 && i > 0) {
        int back = random.nextInt(Math.min(i, 40)) + 1;
        out.write(from, i - back, back);
      }
    }
    return out.toByteArray();
  }

  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  @ParameterizedTest(name = "seed {0}")
  void aDamagedFileIsReadOrBlamed(long seed) {
    Random random = new Random(seed);
    List<byte[]> seeds = files().toList();
    for (int i = 0; i < 20; i++) {
      aFileIsReadOrBlamed(damaged(seeds, random));
    }
  }

  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  @ParameterizedTest(name = "seed {0}")
  void aDamagedCommandIsAnswered(long seed) {
    Random random = new Random(seed);
    List<byte[]> seeds = commands().toList();
    for (int i = 0; i < 50; i++) {
      aCommandIsAnswered(damaged(seeds, random));
    }
  }

  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  @ParameterizedTest(name = "seed {0}")
  void aDamagedAnswerOfAControlSocketIsReadOrRefused(long seed) {
    Random random = new Random(seed);
    List<byte[]> seeds = Vectors.load("controlsocket").stream().map(Vectors.Vector::bytes).toList();
    for (int i = 0; i < 50; i++) {
      byte[] bytes = damaged(seeds, random);
      try {
        ControlReply reply = ControlReply.read(new ByteArrayInputStream(bytes), true);
        assertThat(reply.data().length + reply.message().length())
            .isLessThanOrEqualTo(bytes.length);
      } catch (IOException e) {
        assertThat(e.getMessage()).contains("ControlSocket");
      }
    }
  }

  private static long allocatedBy(Runnable task) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    task.run();
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  /** Compound elements that double at every level, and values that do. */
  @Test
  void aFileThatGrowsWhenItIsReadIsCutShort() {
    StringBuilder doubling = new StringBuilder("elementclass A0 { input -> Queue -> output }\n");
    StringBuilder values = new StringBuilder("define($v0 aaaaaaaaaaaaaaaa);\n");
    for (int i = 1; i < 30; i++) {
      doubling.append(
          "elementclass A%d { input -> A%d -> A%d -> output }%n".formatted(i, i - 1, i - 1));
      values.append("define($v%d $v%d$v%d);%n".formatted(i, i - 1, i - 1));
    }
    doubling.append("Idle -> A29 -> Discard;\n");
    values.append("a :: XIAEndHost($v29);\n");

    for (String hostile : List.of(doubling.toString(), values.toString(), "(".repeat(100_000))) {
      long spent = allocatedBy(() -> aFileIsReadOrBlamed(hostile.getBytes(StandardCharsets.UTF_8)));
      assertThat(spent).as("bytes for at most 20,000 elements").isLessThan(256L << 20);
    }
  }

  @Test
  void anAnswerThatAnnouncesMoreThanItHasIsNotBelieved() {
    for (String hostile :
        List.of(
            "200 OK\r\nDATA 999999999\r\nx",
            "200 OK\r\nDATA 16777216\r\nx",
            "2".repeat(100_000),
            "200-more\r\n".repeat(50_000))) {
      long spent =
          allocatedBy(
              () ->
                  assertThatThrownBy(
                          () ->
                              ControlReply.read(
                                  new ByteArrayInputStream(
                                      hostile.getBytes(StandardCharsets.US_ASCII)),
                                  true))
                      .isInstanceOf(IOException.class));
      assertThat(spent).isLessThan(4L << 20);
    }
  }
}
