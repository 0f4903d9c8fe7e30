package io.xmig.xia.host;

import io.xmig.xia.socket.XiaStack;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * A service that can run inside a node's process, as {@code xmig node --with NODE=SERVICE} asks.
 * Found through {@link ServiceLoader}, so that the node need not know what other modules offer.
 */
public interface NodeService {
  /** Its name on the command line. */
  String name();

  /**
   * Starts it on a node; called on the node's loop.
   *
   * @param stacks opens a stack on the node each time it is asked, from any thread; most services
   *     need one
   * @param options as behind {@code xmig NAME} on a command line
   * @return completes with the service once it serves
   * @throws IllegalArgumentException for wrong options
   */
  CompletableFuture<Running> start(Supplier<XiaStack> stacks, List<String> options);

  /** A service that runs; to be closed on the node's loop. */
  interface Running extends AutoCloseable {
    /**
     * Read handlers that it offers as {@code NODE/SERVICE.HANDLER}, each called on the node's loop.
     */
    default Map<String, Supplier<String>> handlers() {
      return Map.of();
    }

    @Override
    void close();
  }

  /**
   * The service of this name.
   *
   * @throws IllegalArgumentException naming those there are
   */
  static NodeService named(String name) {
    Map<String, NodeService> known = new TreeMap<>();
    ServiceLoader.load(NodeService.class).forEach(s -> known.put(s.name(), s));
    NodeService found = known.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no service '" + name + "'; there are " + known.keySet());
    }
    return found;
  }
}
