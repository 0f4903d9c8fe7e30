package io.xmig.xia.socket.libxsocket;

import com.sun.jna.Native;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds the library to load. */
public final class LibraryFinder {
  private static final String FILE = "libXsocket.so";
  private static @Nullable Path extracted;

  private LibraryFinder() {}

  /**
   * A library to try.
   *
   * @param path of the file
   * @param origin who named it: the option, {@code LD_LIBRARY_PATH}, or this program itself
   * @param ours whether it is the one that comes with this program
   */
  public record Found(String path, String origin, boolean ours) {}

  /**
   * Looks for the library.
   *
   * @param asked path of the file, {@code ours} for the one that comes with this program, or {@code
   *     null} to look in {@code LD_LIBRARY_PATH} first
   * @throws LibXsocketException if there is none
   */
  public static Found find(@Nullable String asked) {
    return find(asked, System.getenv());
  }

  static Found find(@Nullable String asked, Map<String, String> environment) {
    if (asked != null && !asked.equals("ours")) {
      Path path = Path.of(asked);
      return new Found(
          (Files.isDirectory(path) ? path.resolve(FILE) : path).toAbsolutePath().toString(),
          "the option",
          false);
    }
    if (asked == null) {
      for (String directory :
          environment.getOrDefault("LD_LIBRARY_PATH", "").split(File.pathSeparator)) {
        Path candidate = Path.of(directory, FILE);
        if (!directory.isBlank() && Files.exists(candidate)) {
          return new Found(candidate.toAbsolutePath().toString(), "LD_LIBRARY_PATH", false);
        }
      }
    }
    return new Found(bundled().toString(), "the one that comes with xmig", true);
  }

  private static synchronized Path bundled() {
    if (extracted == null) {
      try {
        extracted = Native.extractFromResourcePath("Xsocket").toPath();
      } catch (IOException e) {
        throw new LibXsocketException(
            "there is no libXsocket.so",
            Map.of(
                "hint",
                "this xmig was built without gcc; give the prototype's with libxsocket:PATH or in"
                    + " LD_LIBRARY_PATH, or build again where gcc is"));
      }
    }
    return extracted;
  }
}
