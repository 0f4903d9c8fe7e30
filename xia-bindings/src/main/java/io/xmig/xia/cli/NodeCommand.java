package io.xmig.xia.cli;

import io.xmig.xia.click.Topology;
import io.xmig.xia.host.HostOptions;
import io.xmig.xia.host.NodeHost;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.host.RouterCache;
import io.xmig.xia.link.LinkShape;
import io.xmig.xia.socket.ipc.NodeStackProvider;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig node}: runs the nodes of a Click file, or some of them, until it is told to stop. */
@Command(
    name = "node",
    mixinStandardHelpOptions = true,
    description = {
      "Run XIA nodes: hosts, routers and switches of a Click file.",
      "",
      "Other processes use a node's sockets through DIR/NODE.api (--xia node:DIR/NODE.api). Nodes of"
          + " one file may run in one process or in several with the same DIR; a link between two"
          + " processes becomes a pair of sockets there. Virtual machines are plugged into a switch"
          + " at DIR/plug-SWITCH.sock.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig node testbed/topologies/intra-ad.click --run /tmp/net",
      "  xmig node intra-ad.click --run /tmp/net --only HOST_A,HOST_B",
      "  xmig node intra-ad.click --api-ports 1500    (then: XSOCKCONF=… ./a-program-of-yours)",
      "  xmig node intra-ad.click --only ROUTER_1 --devices eth",
      "  xmig node wan.click --run /tmp/net --shape 100mbit,20ms,1%% --mtu 9000",
      "  xmig node net.click --only R1 --with 'R1=gateway --key keys/r1 --trust-file domains.txt'",
      "  qemu-system-x86_64 … -netdev dgram,id=n0,local.type=unix,local.path=/tmp/net/vm1.sock,\\",
      "      remote.type=unix,remote.path=/tmp/net/plug-SEGMENT_A.sock"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:stopped by SIGTERM or SIGINT",
      "1:a socket or device could not be opened, or the node failed",
      "2:wrong usage, or an error in the Click file"
    })
public final class NodeCommand implements Callable<Integer> {
  private static final int SERVICE_SECONDS = 25;
  private static final Pattern WORD = Pattern.compile("'[^']*'|\"[^\"]*\"|\\S+");

  @Spec private @Nullable CommandSpec spec;

  @Parameters(index = "0", paramLabel = "FILE", description = "Click file with the topology.")
  private @Nullable Path file;

  @Option(
      names = "--run",
      paramLabel = "DIR",
      description = {
        "Directory for the sockets; made if it does not exist.",
        "Default: $XDG_RUNTIME_DIR/xmig-UID, else /tmp/xmig-UID."
      })
  private @Nullable Path directory;

  @Option(
      names = "--only",
      paramLabel = "NODE",
      split = ",",
      description = "Run only these nodes here; a switch goes with the node on its first port.")
  private Set<String> only = new LinkedHashSet<>();

  @Option(
      names = "--mtu",
      paramLabel = "BYTES",
      defaultValue = "1500",
      description = "MTU of all links, 1024 to 65535. Default: ${DEFAULT-VALUE}.")
  private int mtu;

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      description = {
        "In place of what the file says, for every link that it shapes, each way:",
        "rate,delay,loss and more, e.g. 1gbit,1ms or 100mbit,10ms,0.5%%,2ms:jitter,1%%:reorder."
      })
  private @Nullable String shape;

  @Option(
      names = "--control",
      paramLabel = "PORT",
      description = {
        "TCP port of the ControlSocket on 127.0.0.1; 0 for any free one, none for none.",
        "Default: the file's if all its nodes run here, else none."
      })
  private @Nullable String control;

  @Option(
      names = "--api-ports",
      paramLabel = "PORTS",
      defaultValue = "auto",
      description = {
        "UDP ports on 127.0.0.1 for programs linked with the prototype's libXsocket:",
        "file for those in the Click file, auto for those of them that are free, BASE for BASE,"
            + " BASE+1, … in the order of the file, 0 for any free ones, none. Default:"
            + " ${DEFAULT-VALUE}."
      })
  private String apiPorts = "auto";

  @Option(
      names = "--no-attachments",
      description = "Leave out UDP sockets and devices that the file attaches to ports.")
  private boolean noAttachments;

  @Option(
      names = "--devices",
      paramLabel = "PREFIX",
      description = {
        "The ports of the one node of --only are network interfaces of this machine, PREFIX0,"
            + " PREFIX1, …, instead of what the file joins them to. Needs root or CAP_NET_RAW."
      })
  private @Nullable String devices;

  @Option(
      names = "--cache",
      paramLabel = "MIB[,fifo|lru][,first|second]",
      defaultValue = "off",
      description = {
        "Keep this much of the content that passes through routers. The oldest gives way (fifo), or"
            + " what was not asked for the longest (lru). A chunk is kept when it passes the second"
            + " time, or the first, which costs a copy and a hash of everything that passes."
            + " Default: off; fifo,second."
      })
  private String cache = "off";

  @Option(
      names = "--chunk-memory",
      paramLabel = "MIB",
      defaultValue = "40",
      description = "Memory for chunks published on a node. Default: ${DEFAULT-VALUE}.")
  private int chunkMib;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Makes loss, jitter and identifiers the same each time.")
  private @Nullable Long seed;

  @Option(
      names = "--with",
      paramLabel = "NODE=SERVICE [OPTIONS]",
      description = {
        "Run a service in this process, on a node of it: gateway, nameserver, agent or pipes, with",
        "options as behind xmig SERVICE, separated by blanks. May be given several times."
      })
  private List<String> services = new ArrayList<>();

  @Override
  public Integer call() throws InterruptedException {
    CommandSpec command = java.util.Objects.requireNonNull(spec);
    HostOptions options = options(command);
    Topology topology;
    NodeHost host;
    try {
      topology = Topology.load(java.util.Objects.requireNonNull(file));
      host = NodeHost.start(topology, options);
    } catch (IllegalArgumentException | io.xmig.xia.click.ClickParseException e) {
      throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
    }
    try {
      for (String service : services) {
        start(host, service);
      }
    } catch (IllegalArgumentException e) {
      host.close();
      throw new ParameterException(command.commandLine(), "--with: " + e.getMessage(), e);
    }
    PrintWriter out = command.commandLine().getOut();
    for (String name : host.names()) {
      out.println("node " + name + " " + host.apiSocket(name));
    }
    for (String name : host.names()) {
      if (host.apiPort(name) != HostOptions.NO_API_PORTS) {
        out.println("api " + name + " 127.0.0.1:" + host.apiPort(name));
      }
    }
    host.takenApiPorts()
        .forEach(
            (name, port) ->
                out.println(
                    "api "
                        + name
                        + " none: UDP port "
                        + port
                        + " is taken, for programs choose others with --api-ports BASE"));
    host.plugs().forEach((lan, path) -> out.println("plug " + lan + " " + path));
    if (host.controlPort() != HostOptions.NO_CONTROL) {
      out.println("control 127.0.0.1:" + host.controlPort());
    }
    out.println("ready");
    out.flush();
    return UntilStopped.serve(host.loop(), host::close);
  }

  /** Starts one service given as NODE=SERVICE and its options, and waits until it serves. */
  private static void start(NodeHost host, String words) throws InterruptedException {
    int equals = words.indexOf('=');
    if (equals < 1 || !host.names().contains(words.substring(0, equals))) {
      throw new IllegalArgumentException(
          "expected NODE=SERVICE with one of " + host.names() + ", not " + words);
    }
    List<String> options = split(words.substring(equals + 1));
    if (options.isEmpty()) {
      throw new IllegalArgumentException("no service behind " + words);
    }
    NodeService service = NodeService.named(options.remove(0));
    try {
      host.serve(words.substring(0, equals), service, options)
          .get(SERVICE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      Throwable cause = e;
      while (cause.getCause() != null
          && (cause instanceof ExecutionException || cause instanceof CompletionException)) {
        cause = cause.getCause();
      }
      throw new IllegalArgumentException(
          words.substring(0, equals)
              + "="
              + service.name()
              + " does not start: "
              + (cause instanceof TimeoutException
                  ? "no answer within " + SERVICE_SECONDS + " s"
                  : cause.getMessage()),
          e);
    }
  }

  /** Words between blanks; quotes keep blanks in a word. */
  private static List<String> split(String line) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(line);
    while (word.find()) {
      words.add(word.group().replaceAll("^(['\"])(.*)\\1$", "$2"));
    }
    return words;
  }

  private HostOptions options(CommandSpec command) {
    Path run = directory == null ? NodeStackProvider.runtimeDirectory() : directory;
    if (mtu < 1024 || mtu > 65_535) {
      throw wrong(command, "--mtu must be 1024 to 65535, not " + mtu);
    }
    if (chunkMib < 1 || chunkMib > 65_536) {
      throw wrong(command, "--chunk-memory is a number of MiB");
    }
    RouterCache kept;
    try {
      kept = RouterCache.parse(cache);
    } catch (IllegalArgumentException e) {
      throw wrong(command, "--cache: " + e.getMessage());
    }
    LinkShape instead;
    try {
      instead = shape == null ? null : LinkShape.parse(shape);
    } catch (IllegalArgumentException e) {
      throw wrong(command, "--shape: " + e.getMessage());
    }
    if (devices != null && only.size() != 1) {
      throw wrong(command, "--devices needs --only with one node");
    }
    HostOptions options =
        HostOptions.in(run.toAbsolutePath())
            .withOnly(only)
            .withDevices(devices)
            .withMtu(mtu)
            .withShape(instead)
            .withControl(controlPort(command))
            .withApiPorts(apiPorts(command))
            .withAttachments(!noAttachments)
            .withCache(kept)
            .withChunkMemory((long) chunkMib << 20);
    return seed == null ? options : options.withSeed(seed);
  }

  private int apiPorts(CommandSpec command) {
    if (apiPorts.equals("none")) {
      return HostOptions.NO_API_PORTS;
    }
    if (apiPorts.equals("auto")) {
      return HostOptions.API_PORTS_IF_FREE;
    }
    if (apiPorts.equals("file")) {
      return HostOptions.API_PORTS_OF_FILE;
    }
    if (apiPorts.matches("[0-9]{1,5}") && Integer.parseInt(apiPorts) <= 65_000) {
      return Integer.parseInt(apiPorts);
    }
    throw wrong(
        command, "--api-ports is auto, file, none or the first port, not '" + apiPorts + "'");
  }

  private int controlPort(CommandSpec command) {
    String given = control;
    if (given == null) {
      return HostOptions.CONTROL_OF_FILE;
    }
    if (given.equals("none")) {
      return HostOptions.NO_CONTROL;
    }
    if (given.matches("[0-9]{1,5}") && Integer.parseInt(given) <= 65_535) {
      return Integer.parseInt(given);
    }
    throw wrong(command, "--control is a port or none, not '" + given + "'");
  }

  private static ParameterException wrong(CommandSpec command, String what) {
    return new ParameterException(command.commandLine(), what);
  }
}
