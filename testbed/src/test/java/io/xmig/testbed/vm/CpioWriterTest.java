package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpioWriterTest {
  /** What {@code cpio -o -H newc -R 0:0} writes for the same tree, worked out field by field. */
  private static final String EXPECTED =
      entry(1, "000081ED", 5, "a.sh")
          + "\0"
          + "hello\0\0\0"
          + entry(2, "000041ED", 0, "d")
          + entry(3, "0000A1FF", 4, "d/l")
          + "\0\0"
          + "a.sh"
          + trailer();

  @TempDir Path tree;

  @Test
  void writesFilesDirectoriesAndLinksInNameOrder() throws IOException {
    Files.createDirectory(tree.resolve("d"));
    Files.createSymbolicLink(tree.resolve("d/l"), Path.of("a.sh"));
    Files.writeString(tree.resolve("a.sh"), "hello");
    assertThat(tree.resolve("a.sh").toFile().setExecutable(true)).isTrue();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    try (CpioWriter writer = new CpioWriter(bytes, 0x5F5E1000)) {
      writer.addTree(tree);
    }

    assertThat(bytes.toString(StandardCharsets.ISO_8859_1)).isEqualTo(EXPECTED);
    assertThat(bytes.size() % 4).isZero();
  }

  private static String entry(int inode, String mode, int size, String name) {
    return "070701%08X%s%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0"
        .formatted(inode, mode, 0, 0, 1, 0x5F5E1000, size, 0, 0, 0, 0, name.length() + 1, 0, name);
  }

  private static String trailer() {
    return "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0\0\0\0"
        .formatted(0, 0, 0, 0, 1, 0x5F5E1000, 0, 0, 0, 0, 0, 11, 0, "TRAILER!!!");
  }
}
