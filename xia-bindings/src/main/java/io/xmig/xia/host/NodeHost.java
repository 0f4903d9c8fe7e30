package io.xmig.xia.host;

import io.xmig.xia.XiaException;
import io.xmig.xia.click.HandlerException;
import io.xmig.xia.click.HandlerRegistry;
import io.xmig.xia.click.Topology;
import io.xmig.xia.link.EthernetSwitch;
import io.xmig.xia.link.LinkWatcher;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeHandlers;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.node.chunk.ChunkBuffers;
import io.xmig.xia.node.chunk.ChunkOptions;
import io.xmig.xia.node.stream.StreamOptions;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.api.LocalApiServer;
import io.xmig.xia.socket.ipc.BufferPool;
import io.xmig.xia.socket.ipc.IpcServer;
import io.xmig.xia.socket.ipc.NodeStackProvider;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes, switches and links of a topology, or of the part of it that belongs here, running on
 * one loop, with Click's ControlSocket and a local API socket per node.
 *
 * @threading from any thread
 */
public final class NodeHost implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NodeHost.class);
  private static final int MAX_CHUNK_BYTES = 4 << 20;
  private static final long MAX_REASSEMBLY_BYTES = 24L << 20;
  private static final int MAX_HASHES_WAITING = 64;
  private static final io.xmig.xia.addr.Xid NO_AD =
      io.xmig.xia.addr.Xid.parse("AD:0000000000000000000000000000000000000000");

  private final Topology topology;
  private final HostOptions options;
  private final NodeLoop loop;
  private final BufferPool pool;
  private final HandlerRegistry tree = new HandlerRegistry();
  private final Map<String, XiaNode> nodes = new LinkedHashMap<>();
  private final Map<String, EthernetSwitch> switches = new LinkedHashMap<>();
  private final List<IpcServer> servers = new ArrayList<>();
  private final List<NodeService.Running> services = new ArrayList<>();
  private final Map<String, LocalApiServer> programs = new LinkedHashMap<>();
  private final Map<String, Integer> takenApiPorts = new LinkedHashMap<>();
  private @Nullable ControlServer control;
  private @Nullable LinkWatcher watcher;
  private @Nullable ExecutorService hashing;

  private NodeHost(Topology topology, HostOptions options, NodeLoop loop) {
    this.topology = topology;
    this.options = options;
    this.loop = loop;
    // what is dropped instead of kept comes back only with the next run of the collector
    this.pool = new BufferPool(options.chunkBytes());
  }

  /**
   * Starts the part of a topology that the options name.
   *
   * @throws IllegalArgumentException if the options do not fit the topology
   * @throws XiaException if a socket or device cannot be opened; nothing is left behind
   */
  public static NodeHost start(Topology topology, HostOptions options) {
    NodeLoop loop = NodeLoop.start("xia-node");
    NodeHost host = new NodeHost(topology, options, loop);
    try {
      makeDirectory(options.directory());
      loop.call(host::build).get(30, TimeUnit.SECONDS);
      return host;
    } catch (ExecutionException e) {
      host.close();
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      host.close();
      Thread.currentThread().interrupt();
      throw new XiaException(XiaException.Recovery.ABORT, "interrupted while starting nodes");
    } catch (java.util.concurrent.TimeoutException e) {
      host.close();
      throw new XiaException(XiaException.Recovery.ABORT, "the nodes do not start");
    } catch (RuntimeException e) {
      host.close();
      throw e;
    }
  }

  private static void makeDirectory(Path directory) {
    try {
      if (!Files.isDirectory(directory)) {
        Files.createDirectories(
            directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
    } catch (IOException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT,
          "cannot make the directory for sockets",
          Map.of("directory", directory, "reason", String.valueOf(e.getMessage())),
          e);
    }
  }

  private Void build() {
    SplittableRandom random =
        options.seed() == null
            ? new SplittableRandom(new SecureRandom().nextLong())
            : new SplittableRandom(options.seed());
    Placement placement = new Placement(topology, options.only());
    for (Topology.Node node : topology.nodes()) {
      if (placement.isHere(node.name())) {
        add(node, random.split());
      }
    }
    for (Topology.Switch lan : topology.switches()) {
      if (placement.isHere(lan.name()) && options.devices() == null) {
        EthernetSwitch made = new EthernetSwitch(loop, lan.name());
        loop.own(made);
        switches.put(lan.name(), made);
      }
    }
    new Wiring(this, placement, random).connect();
    loop.own(this::closeNodes); // while their links still carry the farewells
    offerLocalApi();
    servePrograms(placement);
    writeAtStart(placement);
    openControl();
    return null;
  }

  private void add(Topology.Node node, SplittableRandom random) {
    List<NodeConfig.Port> ports =
        node.ports().stream().map(port -> new NodeConfig.Port(port.mac(), options.mtu())).toList();
    boolean router = node.kind().isRouter();
    boolean caches = router && options.cache().isOn();
    NodeConfig config =
        new NodeConfig(
            node.name(),
            router ? NodeConfig.Role.ROUTER : NodeConfig.Role.HOST,
            new LocalAddress(node.ad() == null ? NO_AD : node.ad(), node.hid(), node.fourId()),
            ports,
            true,
            !router,
            caches);
    XiaNode made =
        new XiaNode(config, loop, random, StreamOptions.defaults(), chunkOptions(caches));
    nodes.put(node.name(), made);
    tree.mount(node.name(), NodeHandlers.of(made, topology.names()::get));
  }

  private record Pooled(BufferPool pool) implements ChunkBuffers {
    @Override
    public ByteBuffer apply(int length) {
      return pool.take(length);
    }

    @Override
    public void release(ByteBuffer buffer) {
      pool.release(buffer);
    }
  }

  private ChunkOptions chunkOptions(boolean caches) {
    ChunkOptions chunks =
        ChunkOptions.defaults()
            .withLimits(
                MAX_CHUNK_BYTES,
                options.chunkBytes() + options.cache().bytes(),
                MAX_REASSEMBLY_BYTES)
            .withAllocator(new Pooled(pool));
    if (!caches) {
      return chunks;
    }
    ExecutorService off = hashing;
    if (off == null) {
      off =
          new ThreadPoolExecutor(
              1,
              1,
              0,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(MAX_HASHES_WAITING),
              task -> {
                Thread thread = new Thread(task, "xia-hash");
                thread.setDaemon(true);
                return thread;
              });
      hashing = off;
    }
    return chunks
        .withPathCache(options.cache().policy(), options.cache().bytes(), off)
        .withPathAdmission(options.cache().firstTime());
  }

  private void offerLocalApi() {
    if (!options.localApi()) {
      return;
    }
    for (XiaNode node : nodes.values()) {
      IpcServer server =
          new IpcServer(loop, apiSocket(node.name()), () -> new NodeStack(node, tree), pool);
      loop.own(server);
      servers.add(server);
    }
  }

  /** Programs linked with the prototype's library find each node at a UDP port. */
  private void servePrograms(Placement placement) {
    int first = options.apiPorts();
    if (first == HostOptions.NO_API_PORTS) {
      return;
    }
    int index = 0;
    for (Topology.Node node : topology.nodes()) {
      int port =
          first == HostOptions.API_PORTS_OF_FILE || first == HostOptions.API_PORTS_IF_FREE
              ? node.apiPort()
              : first == 0 ? 0 : first + index++;
      if (!placement.isHere(node.name())) {
        continue;
      }
      try {
        LocalApiServer server =
            LocalApiServer.start(
                loop,
                new NodeStack(node(node.name()), tree),
                port,
                node.kind() == Topology.Kind.DUAL4);
        loop.own(server);
        programs.put(node.name(), server);
      } catch (IOException e) {
        if (first == HostOptions.API_PORTS_IF_FREE) {
          takenApiPorts.put(node.name(), port);
          continue;
        }
        throw new XiaException(
            XiaException.Recovery.ABORT,
            "cannot serve programs of the Xsocket API",
            Map.of(
                "node",
                node.name(),
                "udp_port",
                port,
                "reason",
                String.valueOf(e.getMessage()),
                "hint",
                "does Click or another node run here? choose other ports: --api-ports BASE"),
            e);
      }
    }
  }

  private void writeAtStart(Placement placement) {
    for (Topology.HandlerWrite write : topology.writes()) {
      int dot = write.handler().lastIndexOf('.');
      String element = dot < 0 ? "" : write.handler().substring(0, dot);
      int slash = element.indexOf('/');
      String node = slash < 0 ? element : element.substring(0, slash);
      if (!element.isEmpty() && !placement.isHere(node)) {
        continue;
      }
      var handler =
          tree.hasElement(element)
              ? tree.handler(element, write.handler().substring(dot + 1))
              : null;
      if (handler == null || !handler.isWritable()) {
        throw new IllegalArgumentException(
            topology.file() + ": no write handler '" + write.handler() + "'");
      }
      try {
        handler.write(write.value());
      } catch (HandlerException e) {
        throw new IllegalArgumentException(
            topology.file() + ": " + write.handler() + ": " + e.getMessage(), e);
      }
    }
  }

  private void openControl() {
    int port = options.control();
    if (port == HostOptions.CONTROL_OF_FILE) {
      port = options.only().isEmpty() ? portOfFile() : HostOptions.NO_CONTROL;
    }
    if (port != HostOptions.NO_CONTROL) {
      ControlServer server = new ControlServer(loop, loopback(), port, tree);
      loop.own(server);
      control = server;
    }
  }

  private int portOfFile() {
    for (Topology.Control wanted : topology.controls()) {
      if (wanted.type().equals("tcp") && wanted.place().matches("[0-9]{1,5}")) {
        return Integer.parseInt(wanted.place());
      }
      log.warn("ControlSocket({}, {}) is left out: only tcp", wanted.type(), wanted.place());
    }
    return HostOptions.NO_CONTROL;
  }

  static Inet4Address loopback() {
    try {
      return (Inet4Address) InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  // ---------------------------------------------------------------- for the wiring

  Topology topology() {
    return topology;
  }

  HostOptions options() {
    return options;
  }

  HandlerRegistry tree() {
    return tree;
  }

  XiaNode node(String name) {
    XiaNode node = nodes.get(name);
    if (node == null) {
      throw new IllegalArgumentException(
          "no node '" + name + "' here, there are " + nodes.keySet());
    }
    return node;
  }

  @Nullable EthernetSwitch lan(String name) {
    return switches.get(name);
  }

  /** Tells a node what the kernel says about the interface behind one of its ports. */
  void watch(int interfaceIndex, XiaNode node, int port) {
    LinkWatcher heard = watcher;
    if (heard == null) {
      heard = new LinkWatcher(loop);
      loop.own(heard);
      watcher = heard;
    }
    heard.watch(interfaceIndex, port, node::linkEvent);
  }

  // ---------------------------------------------------------------- for others

  /** The loop on which everything runs. */
  public NodeLoop loop() {
    return loop;
  }

  /** Names of the nodes that run here. */
  public List<String> names() {
    return List.copyOf(nodes.keySet());
  }

  /** Where other processes reach a node's sockets: {@code --xia node:PATH}. */
  public Path apiSocket(String node) {
    return options.directory().resolve(node + NodeStackProvider.SUFFIX);
  }

  /** Port of the ControlSocket, or {@link HostOptions#NO_CONTROL}. */
  public int controlPort() {
    ControlServer open = control;
    return open == null ? HostOptions.NO_CONTROL : open.port();
  }

  /**
   * UDP port on which programs linked with the prototype's library find a node, or {@link
   * HostOptions#NO_API_PORTS}.
   */
  public int apiPort(String node) {
    LocalApiServer server = programs.get(node);
    return server == null ? HostOptions.NO_API_PORTS : server.port();
  }

  /** Nodes that programs do not find because somebody else has their port. */
  public Map<String, Integer> takenApiPorts() {
    return Map.copyOf(takenApiPorts);
  }

  /** Switches that run here, with the path into which VMs are plugged. */
  public Map<String, Path> plugs() {
    Map<String, Path> plugs = new LinkedHashMap<>();
    switches.keySet().forEach(name -> plugs.put(name, Wiring.plug(options.directory(), name)));
    return plugs;
  }

  /** A stack on a node of this process, to be used on {@link #loop} only. */
  public XiaStack stack(String node) {
    return new NodeStack(node(node), tree);
  }

  /** Runs with a node on the loop, e.g. to set a route. */
  public CompletableFuture<Void> with(String node, Consumer<XiaNode> action) {
    XiaNode found = node(node);
    return loop.call(
        () -> {
          action.accept(found);
          return null;
        });
  }

  /**
   * Starts a service on a node; its handlers become {@code NODE/SERVICE.HANDLER}.
   *
   * @param options as behind {@code xmig SERVICE} on a command line
   * @return completes on the loop when it serves
   */
  public CompletableFuture<Void> serve(String node, NodeService service, List<String> options) {
    XiaNode known = node(node);
    return loop.call(() -> service.start(() -> new NodeStack(known, tree), options))
        .thenCompose(starting -> starting)
        .thenAccept(
            running -> {
              services.add(running);
              HandlerRegistry.Element element =
                  tree.element(node + "/" + service.name(), "Service", String.join(" ", options));
              running.handlers().forEach(element::read);
            });
  }

  private void closeNodes() {
    services.forEach(NodeService.Running::close);
    nodes.values().forEach(XiaNode::close);
  }

  /** Stops everything and removes the sockets. */
  @Override
  public void close() {
    loop.close();
    if (hashing != null) {
      hashing.shutdownNow();
    }
  }
}
