package io.xmig.xia.click;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.xmig.xia.testkit.Vectors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Fuzzing of Click files and control connections; the seeds run in the normal build. */
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
}
