package io.xmig.xia.cli;

import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.control.ControlReply;
import io.xmig.xia.socket.ipc.NodeStackProvider;
import io.xmig.xia.socket.libxsocket.ClickPort;
import io.xmig.xia.socket.libxsocket.ClickProbe;
import io.xmig.xia.socket.libxsocket.LibXsocketException;
import io.xmig.xia.socket.libxsocket.LibraryCheck;
import io.xmig.xia.socket.libxsocket.LibraryFinder;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What this machine offers to the XIA stacks, in the order in which one would look.
 *
 * @param library the C library that {@code --xia libxsocket} would load
 * @param ports who answers on the API ports that were asked
 * @param control who answers on the ControlSocket's port
 * @param nodes sockets of nodes of this user
 * @param advice what to do next, empty if a stack can be used
 */
public record Diagnosis(
    Library library, List<Port> ports, Control control, List<String> nodes, List<String> advice) {
  private static final Duration ANSWER = Duration.ofSeconds(1);
  private static final int CONTROL_MS = 2000;

  /** The ports of the prototype's shipped topologies. */
  private static final List<Integer> USUAL = List.of(1500, 1600, 1700, 1800);

  /**
   * The library.
   *
   * @param problem why it cannot be used, or {@code null}
   */
  public record Library(
      @Nullable String path,
      String origin,
      @Nullable String problem,
      List<String> missing,
      List<String> newer) {}

  /**
   * One API port.
   *
   * @param source who named it
   * @param answers {@code xmig node}, {@code Click}, or {@code null} for nobody
   */
  public record Port(
      int port,
      String source,
      @Nullable String answers,
      @Nullable String ad,
      @Nullable String hid,
      @Nullable String fourId,
      @Nullable String problem) {}

  /** The ControlSocket, with the nodes behind it. */
  public record Control(
      int port, @Nullable String banner, List<String> nodes, @Nullable String problem) {}

  /** Looks. Blocks a second or so per port that does not answer. */
  public static Diagnosis make(@Nullable String path, @Nullable Integer apiPort, int controlPort) {
    Library library = findLibrary(path);
    List<Port> ports = findPorts(apiPort);
    Control control = findControl(controlPort);
    List<String> nodes = findNodes();
    return new Diagnosis(library, ports, control, nodes, nextSteps(library, ports, nodes));
  }

  /** Whether some stack can be used. */
  public boolean usable() {
    return advice.isEmpty();
  }

  private static Library findLibrary(@Nullable String path) {
    try {
      LibraryFinder.Found found = LibraryFinder.find(path);
      LibraryCheck check = LibraryCheck.of(found.path());
      return new Library(
          found.path(), found.origin(), check.problem(), check.missing(), check.newer());
    } catch (LibXsocketException e) {
      return new Library(null, "nowhere", e.getMessage(), List.of(), List.of());
    }
  }

  private static List<Port> findPorts(@Nullable Integer asked) {
    List<Port> ports = new ArrayList<>();
    int first = 0;
    try {
      ClickPort found = ClickPort.find(asked);
      first = found.number();
      ports.add(port(first, found.source()));
    } catch (IllegalArgumentException e) {
      ports.add(new Port(0, "configuration", null, null, null, null, e.getMessage()));
    }
    for (int usual : USUAL) {
      if (usual != first) {
        Port other = port(usual, "usual");
        if (other.answers() != null) {
          ports.add(other);
        }
      }
    }
    return ports;
  }

  private static Port port(int number, String source) {
    ClickProbe probe = ClickProbe.of(number, ANSWER);
    LocalAddress address = probe.address();
    if (address == null) {
      return new Port(number, source, null, null, null, null, probe.problem());
    }
    return new Port(
        number,
        source,
        probe.flowControl() ? "xmig node" : "Click",
        address.ad().toString(),
        address.hid().toString(),
        address.fourId() == null ? null : String.valueOf(address.fourId()),
        null);
  }

  private static Control findControl(int port) {
    try (Socket socket = new Socket()) {
      socket.setSoTimeout(CONTROL_MS);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONTROL_MS);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      String banner = ControlReply.readBanner(in);
      socket.getOutputStream().write("READ list\r\n".getBytes(StandardCharsets.US_ASCII));
      Set<String> nodes = new TreeSet<>();
      for (String line : ControlReply.read(in, true).text().lines().toList()) {
        int core = line.indexOf("/xrc");
        if (core > 0) {
          nodes.add(line.substring(0, core));
        }
      }
      return new Control(port, banner, List.copyOf(nodes), null);
    } catch (IOException e) {
      return new Control(
          port, null, List.of(), "no ControlSocket on TCP port " + port + ": " + e.getMessage());
    }
  }

  private static List<String> findNodes() {
    List<String> found = new ArrayList<>();
    Path directory = NodeStackProvider.runtimeDirectory();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> sockets =
          Files.newDirectoryStream(directory, "*" + NodeStackProvider.SUFFIX)) {
        sockets.forEach(socket -> found.add(socket.toString()));
      } catch (IOException e) {
        return found; // not ours to read: then there is nothing to use there either
      }
    }
    found.sort(null);
    return found;
  }

  private static List<String> nextSteps(Library library, List<Port> ports, List<String> nodes) {
    if (!nodes.isEmpty() || library.problem() == null && ports.get(0).answers() != null) {
      return List.of();
    }
    List<String> advice = new ArrayList<>();
    advice.add("to use no prototype: xmig node FILE.click, then every command finds the node");
    if (library.problem() != null) {
      advice.add(
          "for the prototype: name its library, --xia libxsocket:/path/libXsocket.so, and put"
              + " libdagaddr.so and libprotobuf into LD_LIBRARY_PATH");
    }
    ports.stream()
        .skip(1)
        .findFirst()
        .ifPresent(
            port ->
                advice.add(
                    port.answers()
                        + " answers on port "
                        + port.port()
                        + ": --xia libxsocket@"
                        + port.port()));
    if (ports.size() == 1) {
      advice.add(
          "for the prototype: start Click, and set "
              + ClickPort.ENVIRONMENT
              + " to the API port of its node (third argument of XIAEndHost, fifth of routers)");
    }
    return advice;
  }
}
