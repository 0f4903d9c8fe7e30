package io.xmig.testbed.vm;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Writes a directory tree as a "newc" cpio archive, the format of an initial RAM file system.
 *
 * <pre>
 * "070701" ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
 *          (each 8 hexadecimal digits), name, NUL, padding to 4, content, padding to 4; last: TRAILER!!!
 * </pre>
 *
 * <p>Everything belongs to root and has the same time, so that the same tree gives the same bytes.
 *
 * @source Linux, Documentation/driver-api/early-userspace/buffer-format.rst
 */
final class CpioWriter implements AutoCloseable {
  private static final int DIRECTORY = 0040755;
  private static final int FILE = 0100644;
  private static final int EXECUTABLE = 0100755;
  private static final int SECRET = 0100600;
  private static final int SYMBOLIC_LINK = 0120777;
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private final OutputStream out;
  private final int mtimeSeconds;
  private int inode = 1;
  private long written;

  CpioWriter(OutputStream out, int mtimeSeconds) {
    this.out = out;
    this.mtimeSeconds = mtimeSeconds;
  }

  /** Writes everything below {@code root}, in name order. */
  void addTree(Path root) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(root)) {
      paths = new ArrayList<>(walk.filter(path -> !path.equals(root)).sorted().toList());
    }
    for (Path path : paths) {
      String name = root.relativize(path).toString();
      if (Files.isSymbolicLink(path)) {
        byte[] target = Files.readSymbolicLink(path).toString().getBytes(StandardCharsets.UTF_8);
        header(name, SYMBOLIC_LINK, target.length);
        write(target);
        pad();
      } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        header(name, DIRECTORY, 0);
      } else {
        header(name, Files.isExecutable(path) ? EXECUTABLE : FILE, Files.size(path));
        written += Files.copy(path, out);
        pad();
      }
    }
  }

  /** Writes one file that only root may read. */
  void addSecret(String name, byte[] content) throws IOException {
    header(name, SECRET, content.length);
    write(content);
    pad();
  }

  private void header(String name, int mode, long size) throws IOException {
    if (size > 0xffff_ffffL) {
      throw new IOException("file too large for a cpio archive: " + name);
    }
    byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
    long[] fields = {
      inode++, mode, 0, 0, 1, mtimeSeconds, size, 0, 0, 0, 0, nameBytes.length + 1L, 0
    };
    StringBuilder text = new StringBuilder(110).append("070701");
    for (long field : fields) {
      text.append(HEX.toHexDigits(field, 8).toUpperCase(Locale.ROOT));
    }
    write(text.toString().getBytes(StandardCharsets.US_ASCII));
    write(nameBytes);
    write(new byte[1]);
    pad();
  }

  private void write(byte[] bytes) throws IOException {
    out.write(bytes);
    written += bytes.length;
  }

  private void pad() throws IOException {
    int missing = (int) (-written & 3);
    write(new byte[missing]);
  }

  /** Writes the end of the archive and closes the stream. */
  @Override
  public void close() throws IOException {
    inode = 0;
    header("TRAILER!!!", 0, 0);
    out.close();
  }
}
