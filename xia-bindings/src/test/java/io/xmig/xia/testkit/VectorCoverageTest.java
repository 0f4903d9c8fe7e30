package io.xmig.xia.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A vector file that nobody reads proves nothing. */
class VectorCoverageTest {
  /**
   * Read and rewritten by AddressVectorsTest, PacketVectorsTest, ControlSessionTest,
   * ApiVectorsTest.
   */
  private static final Set<String> COVERED =
      Set.of(
          "xid",
          "cid",
          "dag",
          "xhcp",
          "xrouted",
          "xarp",
          "xcmp",
          "stream",
          "dgram",
          "nameservice",
          "content",
          "fourid",
          "handoff",
          "controlsocket",
          "api");

  @Test
  void everyVectorFileIsCoveredByATest() throws IOException {
    Set<String> present = new TreeSet<>();
    try (Stream<Path> files = Files.list(Path.of("src", "test", "resources", "vectors"))) {
      files.forEach(file -> present.add(file.getFileName().toString().replace(".json", "")));
    }
    assertThat(present)
        .as("vector files; a new one needs a test that decodes and re-encodes every entry")
        .isEqualTo(new TreeSet<>(COVERED));
  }

  @Test
  void everyVectorHasANameOfItsOwnAndBytes() {
    for (String file : COVERED) {
      List<Vectors.Vector> vectors = Vectors.load(file);
      assertThat(vectors).as(file).isNotEmpty();
      assertThat(vectors).extracting(Vectors.Vector::name).doesNotHaveDuplicates();
      assertThat(Vectors.get(file, vectors.get(0).name()).bytes())
          .isEqualTo(vectors.get(0).bytes());
    }
  }
}
