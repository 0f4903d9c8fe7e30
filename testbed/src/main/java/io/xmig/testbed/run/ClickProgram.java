package io.xmig.testbed.run;

import io.xmig.xia.socket.control.ControlReply;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The {@code click} of the prototype as a process of a run: {@code --router
 * click:PROGRAM[,DIRECTORY]}.
 *
 * @param program the user-level Click
 * @param library directory with {@code xia_router_lib.click}; Click is started in it, since it
 *     looks for libraries there first
 * @source XIA prototype v1.1, docs/click.md sections 3 and 4
 */
record ClickProgram(Path program, Path library) {
  static final String LIBRARY_FILE = "xia_router_lib.click";
  private static final String PREFIX = "click:";
  private static final int ANSWER_MS = 1000;

  /** Whether an option's text names a Click. */
  static boolean isNamed(String text) {
    return text.startsWith(PREFIX) && text.length() > PREFIX.length();
  }

  /**
   * Reads the option and looks whether what it names is there.
   *
   * @throws RunException saying what is missing and where it is expected
   */
  static ClickProgram of(String text) {
    String rest = text.substring(PREFIX.length());
    int comma = rest.indexOf(',');
    Path program =
        Path.of(comma < 0 ? rest : rest.substring(0, comma)).toAbsolutePath().normalize();
    if (Files.isDirectory(program)) {
      program = program.resolve("click");
    }
    if (!Files.isExecutable(program)) {
      throw new RunException(
          Files.exists(program)
              ? "the click of --router cannot be executed"
              : "there is no click where --router says; in the prototype it is"
                  + " xia-core/click/userlevel/click",
          Map.of("program", program));
    }
    Path library =
        comma < 0
            ? beside(program)
            : Path.of(rest.substring(comma + 1)).toAbsolutePath().normalize();
    if (library == null || !Files.isReadable(library.resolve(LIBRARY_FILE))) {
      throw new RunException(
          "there is no " + LIBRARY_FILE + "; name its directory: --router click:PROGRAM,DIRECTORY",
          Map.of(
              "looked_in",
              library == null ? program.resolveSibling("../conf").normalize() : library));
    }
    return new ClickProgram(program, library);
  }

  /** {@code click/userlevel/click} has its configurations in {@code click/conf}. */
  private static @Nullable Path beside(Path program) {
    Path directory = program.getParent();
    Path parent = directory == null ? null : directory.getParent();
    Path conf = parent == null ? null : parent.resolve("conf");
    return conf != null && Files.exists(conf.resolve(LIBRARY_FILE)) ? conf : null;
  }

  /** Starts it on a configuration. */
  void launch(Lab lab, String name, Path configuration) {
    lab.launch(
        name,
        List.of(program.toString(), configuration.toString()),
        library,
        // nothing behind the colon: then where Click itself looks
        Map.of("CLICKPATH", library + ":"));
  }

  /**
   * Waits until its ControlSocket lists the nodes.
   *
   * @throws RunException with the end of what Click said when it ends or stays silent instead
   */
  static void awaitNodes(Lab lab, String name, int control, List<String> nodes, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    String last = "";
    do {
      lab.requireAlive(name);
      try {
        List<String> elements = list(control);
        List<String> missing =
            nodes.stream().filter(node -> !elements.contains(node + "/xrc")).toList();
        if (missing.isEmpty()) {
          return;
        }
        last = "it does not have " + missing;
      } catch (IOException e) {
        last = String.valueOf(e.getMessage());
      }
      Clients.pause(50);
    } while (System.nanoTime() < deadline);
    throw new RunException(
        "click does not serve its nodes on the ControlSocket",
        Map.of("port", control, "why", last, "seconds", limit.toSeconds(), "said", lab.tail(name)));
  }

  private static List<String> list(int control) throws IOException {
    try (Socket socket = new Socket()) {
      socket.setSoTimeout(ANSWER_MS);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), control), ANSWER_MS);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      ControlReply.readBanner(in);
      socket.getOutputStream().write("READ list\r\n".getBytes(StandardCharsets.US_ASCII));
      return ControlReply.read(in, true).text().lines().toList();
    }
  }
}
