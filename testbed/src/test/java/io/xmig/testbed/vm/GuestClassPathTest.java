package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestClassPathTest {
  @TempDir Path directory;

  @Test
  void leavesOutWhatOnlyHostsAndTestsUse() throws IOException {
    List<String> names =
        List.of("picocli-4.7.7.jar", "grpc-core-1.83.1.jar", "xmig-tests.jar", "jna-5.19.1.jar");
    StringBuilder classPath = new StringBuilder("missing.jar");
    for (String name : names) {
      classPath.append(File.pathSeparator).append(Files.createFile(directory.resolve(name)));
    }

    assertThat(GuestClassPath.of(classPath.toString()).entries())
        .extracting(path -> path.getFileName().toString())
        .containsExactly("picocli-4.7.7.jar", "jna-5.19.1.jar");
  }

  @Test
  void packsClassDirectoriesIntoJars() throws IOException {
    Path classes = Files.createDirectories(directory.resolve("classes/a"));
    Files.writeString(classes.resolve("B.class"), "content");

    List<String> installed =
        GuestClassPath.of(directory.resolve("classes").toString()).install(directory.resolve("to"));

    assertThat(installed).containsExactly("classes-0.jar");
    try (JarFile jar = new JarFile(directory.resolve("to/classes-0.jar").toFile())) {
      assertThat(new String(jar.getInputStream(jar.getEntry("a/B.class")).readAllBytes(), "UTF-8"))
          .isEqualTo("content");
    }
  }

  @Test
  void needsAtLeastOneEntry() {
    assertThatThrownBy(() -> GuestClassPath.of("nowhere.jar"))
        .isInstanceOf(GuestImageException.class)
        .hasMessageContaining("nowhere.jar");
  }
}
