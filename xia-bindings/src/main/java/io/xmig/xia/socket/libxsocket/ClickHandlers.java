package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.socket.control.ControlSocketClient;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The handlers of the node under the library, which has none of its own: they are called on Click's
 * ControlSocket. One Click may run many nodes, and the library does not say which of them it talks
 * to: it is the one whose HID is the host's.
 *
 * @threading any; completions run on the executor given
 * @source XIA prototype v1.1, docs/click.md sections 1 and 4
 */
final class ClickHandlers implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final String OWN = "./";
  private static final String CORE = "/xrc";

  private final int port;
  private final Xid hid;
  private final ControlSocketClient client;
  private @Nullable CompletableFuture<String> node;

  /**
   * @param port TCP port of the ControlSocket on this host
   * @param hid of the node that paths starting with {@code ./} mean
   */
  ClickHandlers(int port, Xid hid, Executor completions) {
    this.port = port;
    this.hid = hid;
    this.client =
        new ControlSocketClient(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port), LIMIT, completions);
  }

  CompletableFuture<String> read(String path) {
    return resolve(path).thenCompose(client::read);
  }

  CompletableFuture<Void> write(String path, String value) {
    return resolve(path).thenCompose(full -> client.write(full, value));
  }

  private CompletableFuture<String> resolve(String path) {
    return path.startsWith(OWN)
        ? node().thenApply(name -> name + path.substring(OWN.length() - 1))
        : CompletableFuture.completedFuture(path);
  }

  private synchronized CompletableFuture<String> node() {
    if (node == null || node.isCompletedExceptionally()) { // Click may not have run then
      node = client.read("list").thenApply(ClickHandlers::nodesIn).thenCompose(this::find);
    }
    return node;
  }

  /** The compound elements that have a routing core. */
  private static List<String> nodesIn(String list) {
    return list.lines()
        .filter(line -> line.endsWith(CORE))
        .map(line -> line.substring(0, line.length() - CORE.length()))
        .toList();
  }

  private CompletableFuture<String> find(List<String> nodes) {
    List<CompletableFuture<Boolean>> owns = new ArrayList<>();
    for (String name : nodes) {
      owns.add(
          client
              .read(name + "/xrc/n/proc/rt_HID.list")
              .thenApply(table -> table.lines().anyMatch(this::isOwn)));
    }
    return CompletableFuture.allOf(owns.toArray(CompletableFuture[]::new))
        .thenApply(
            all -> {
              for (int i = 0; i < nodes.size(); i++) {
                if (owns.get(i).join()) {
                  return nodes.get(i);
                }
              }
              throw new XiaSocketException(
                  Kind.NODE,
                  "the Click behind this ControlSocket does not run this host; name the port of the"
                      + " one that does ("
                      + LibXsocketProvider.CONTROL_ENVIRONMENT
                      + ", libxsocket:PATH@PORT/CONTROL)",
                  Map.of("control", port, "hid", hid, "nodes", nodes));
            });
  }

  /** {@code HID:…,-2,,0}: packets for this HID are delivered here. */
  private boolean isOwn(String line) {
    return line.startsWith(hid + ",-2,");
  }

  @Override
  public void close() {
    client.close();
  }
}
