package io.xmig.xia.socket.ipc;

import io.xmig.xia.link.posix.Threads;
import io.xmig.xia.socket.StackProvider;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code node[:SOCKET]}: the embedded node in another process. */
public final class NodeStackProvider implements StackProvider {
  /** Ending of the names of local API sockets. */
  public static final String SUFFIX = ".api";

  @Override
  public String name() {
    return "node";
  }

  @Override
  public String usage() {
    return "node[:SOCKET]: a running 'xmig node', by its .api socket (default: the only one in "
        + runtimeDirectory()
        + ")";
  }

  @Override
  public XiaStack open(@Nullable String argument) {
    return IpcStack.connect(argument == null ? onlyNode(runtimeDirectory()) : Path.of(argument));
  }

  /** Where nodes of this user put their sockets unless told otherwise. */
  public static Path runtimeDirectory() {
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    return Path.of(runtime == null || runtime.isBlank() ? "/tmp" : runtime)
        .resolve("xmig-" + Threads.userId());
  }

  /** The only local API socket in a directory. */
  static Path onlyNode(Path directory) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> sockets = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
        sockets.forEach(found::add);
      } catch (IOException e) {
        throw new XiaSocketException(
            XiaSocketException.Kind.NODE,
            "cannot look for nodes",
            Map.of("directory", directory, "reason", String.valueOf(e.getMessage())));
      }
    }
    if (found.size() == 1) {
      return found.get(0);
    }
    found.sort(null);
    throw new XiaSocketException(
        XiaSocketException.Kind.NODE,
        found.isEmpty() ? "no XIA node is running" : "several XIA nodes are running",
        found.isEmpty()
            ? Map.of("looked in", directory, "hint", "start one: xmig node FILE.click")
            : Map.of("hint", "choose one: --xia node:SOCKET", "sockets", found));
  }
}
