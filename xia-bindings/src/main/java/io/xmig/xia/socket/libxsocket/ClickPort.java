package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.socket.EndOfProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  private static final Logger LOG = LoggerFactory.getLogger(ClickPort.class);
  private static final String FILE = "xsockconf.ini";
  private static final String CONFIGURATION = "xmig-xsockconf-";
  private static final Pattern OF_A_PROCESS =
      Pattern.compile(CONFIGURATION + "([0-9]{1,10})-[0-9]+\\.ini");

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
      Path directory = Path.of(System.getProperty("java.io.tmpdir"));
      removeStale(directory);
      Path file = write(directory, ProcessHandle.current());
      Xsocket.set_conf(file.toString(), "xmig");
    } catch (IOException e) {
      throw new LibXsocketException(
          "cannot write a configuration for libXsocket",
          Map.of("reason", String.valueOf(e.getMessage())));
    }
  }

  /**
   * The library may read its configuration again, so the file stays until the process ends. Its
   * name says whose it is, for the case that nobody removes it then.
   */
  Path write(Path directory, ProcessHandle owner) throws IOException {
    Path file = Files.createTempFile(directory, CONFIGURATION + owner.pid() + "-", ".ini");
    EndOfProcess.removeAtEnd(file);
    return Files.writeString(file, "[xmig]\nclick_port=" + number + "\n");
  }

  /** Removes the files of this user's processes that ended without doing so. */
  static void removeStale(Path directory) {
    String user = System.getProperty("user.name");
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, CONFIGURATION + "*")) {
      for (Path file : files) {
        Matcher name = OF_A_PROCESS.matcher(String.valueOf(file.getFileName()));
        if (name.matches()
            && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
            && Files.getOwner(file, LinkOption.NOFOLLOW_LINKS).getName().equals(user)
            && isGone(Long.parseLong(name.group(1)))) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("could not look for old files in {}", directory, e);
    }
  }

  private static boolean isGone(long pid) {
    return ProcessHandle.of(pid).map(process -> !process.isAlive()).orElse(true);
  }
}
