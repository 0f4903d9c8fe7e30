package io.xmig.xia.socket.libxsocket;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The UDP port on which Click, or a node of ours in its place, serves programs; found in the order
 * in which the C library looks.
 *
 * @param number of the port
 * @param source where that was found, for people
 * @source XIA prototype v1.1, docs/xsocket-api.md section A6
 */
public record ClickPort(int number, String source) {
  /** Environment variable that overrides the configuration files. */
  public static final String ENVIRONMENT = "XMIG_CLICK_PORT";

  /** What the library takes if nothing says otherwise. */
  public static final int DEFAULT = 1500;

  private static final String FILE = "xsockconf.ini";

  public ClickPort {
    if (number < 1 || number > 65_535) {
      throw new IllegalArgumentException("no UDP port: " + number + " (from " + source + ")");
    }
  }

  /** The port for this process. */
  public static ClickPort find(@Nullable Integer asked) {
    String program =
        ProcessHandle.current()
            .info()
            .command()
            .map(command -> String.valueOf(Path.of(command).getFileName()))
            .orElse("java");
    return find(asked, System.getenv(), Path.of(""), program);
  }

  static ClickPort find(
      @Nullable Integer asked, Map<String, String> environment, Path directory, String program) {
    if (asked != null) {
      return new ClickPort(asked, "the option");
    }
    String named = environment.get(ENVIRONMENT);
    if (named != null && !named.isBlank()) {
      return new ClickPort(number(named.strip(), ENVIRONMENT), ENVIRONMENT);
    }
    Path file = directory.resolve(environment.getOrDefault("XSOCKCONF", FILE));
    String section = environment.getOrDefault("XSOCKCONF_SECTION", program);
    Path master =
        directory.resolve(environment.getOrDefault("XIADIR", ".")).resolve("etc").resolve(FILE);
    Optional<String> host = value(file, section, "host");
    if (host.isPresent()) {
      return entry(master, host.get())
          .orElseGet(
              () -> new ClickPort(DEFAULT, "no click_port for " + host.get() + " in " + master));
    }
    return entry(file, section)
        .or(() -> entry(master, section))
        .orElseGet(() -> new ClickPort(DEFAULT, "the library's default"));
  }

  private static Optional<ClickPort> entry(Path file, String section) {
    return value(file, section, "click_port")
        .map(text -> new ClickPort(number(text, file.toString()), "[" + section + "] in " + file));
  }

  private static int number(String text, String source) {
    if (!text.matches("[0-9]{1,5}")) {
      throw new IllegalArgumentException("no UDP port: '" + text + "' (from " + source + ")");
    }
    return Integer.parseInt(text);
  }

  private static Optional<String> value(Path file, String section, String key) {
    boolean inside = false;
    try {
      for (String raw : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
        String line = raw.strip();
        if (line.startsWith("[") && line.contains("]")) {
          inside = line.substring(1, line.indexOf(']')).strip().equalsIgnoreCase(section);
        } else if (inside && line.contains("=") && !line.startsWith(";") && !line.startsWith("#")) {
          int equals = line.indexOf('=');
          if (line.substring(0, equals).strip().equalsIgnoreCase(key)) {
            return Optional.of(line.substring(equals + 1).strip());
          }
        }
      }
    } catch (IOException e) {
      return Optional.empty(); // as the library does: a file that is not there says nothing
    }
    return Optional.empty();
  }

  /** Makes the library use this port, whatever its own files say. */
  void set() {
    try {
      Path file = Files.createTempFile("xmig-xsockconf", ".ini");
      file.toFile().deleteOnExit(); // the library may read it again
      Files.writeString(file, "[xmig]\nclick_port=" + number + "\n");
      Xsocket.set_conf(file.toString(), "xmig");
    } catch (IOException e) {
      throw new LibXsocketException(
          "cannot write a configuration for libXsocket",
          Map.of("reason", String.valueOf(e.getMessage())));
    }
  }
}
