package io.xmig.adapt.cli;

import io.xmig.adapt.route.HandlerRouteControl;
import io.xmig.adapt.route.RouteControl;
import io.xmig.adapt.route.RouteEntry;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.control.ControlSocketClient;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig route}. */
@Command(
    name = "route",
    scope = CommandLine.ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "(show | add | set | remove)",
    description = {
      "Show and change routing tables.",
      "",
      "Of a node of ours, or of a Click process of the prototype by its ControlSocket.",
      ""
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:the node refused or does not answer", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig route show",
      "  xmig route show HID --control localhost:7777 --node router0",
      "  xmig route set HID:… --port 1 --next HID:…",
      "  xmig route set HID:- --port 0 --next HID:…          (the default entry)",
      "  xmig route remove HID:…"
    })
public final class RouteCommand implements Runnable {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final int NO_ELEMENT = 510; // of Click's ControlSocket
  private static final int LOWEST_CODE = -7;
  private static final int HIGHEST_PORT = 255;

  @Spec private @Nullable CommandSpec spec;

  /** Which node. */
  static final class Target {
    @Option(
        names = "--node",
        paramLabel = "NAME",
        description = "Node of the process. Default: that of the stack; needed with --control.")
    private @Nullable String node;

    @Option(
        names = "--control",
        paramLabel = "HOST:PORT",
        description = "ControlSocket of a Click process.")
    private @Nullable String control;
  }

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "expected 'show', 'add', 'set' or 'remove'");
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "Print tables, one 'XID,port,nexthop,flags' a line; '-' is the default.")
  int show(
      @Mixin StackOption xia,
      @Mixin Target target,
      @Parameters(
              arity = "0..*",
              paramLabel = "TYPE",
              description = "AD, HID, SID, CID or IP. Default: all.")
          @Nullable List<XidType> types) {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    List<XidType> wanted = types == null || types.isEmpty() ? List.of(XidType.values()) : types;
    return with(
        xia,
        target,
        control -> {
          CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
          for (XidType type : wanted) {
            all =
                all.thenCompose(before -> control.list(type))
                    .thenAccept(
                        entries -> {
                          out.println("# " + type);
                          entries.forEach(out::println);
                        });
          }
          return all;
        });
  }

  @Command(
      name = "add",
      mixinStandardHelpOptions = true,
      description = "Add an entry; fails if there is one.")
  int add(
      @Mixin StackOption xia,
      @Mixin Target target,
      @Parameters(paramLabel = "XID", description = "Destination; TYPE:- is the default entry.")
          String xid,
      @Option(
              names = "--port",
              required = true,
              paramLabel = "N",
              description = "Port of the node, or -1 drop, -2 local, -6 unreachable, -7 fallback.")
          int port,
      @Option(names = "--next", paramLabel = "HID", description = "Next hop.")
          @Nullable String next) {
    Destination to = destination(xid);
    RouteEntry entry = new RouteEntry(to.xid, port(port), hop(next), RouteEntry.FLAGS_DAEMON);
    return with(xia, target, control -> control.add(to.type, entry));
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      description = "Add or overwrite an entry.")
  int set(
      @Mixin StackOption xia,
      @Mixin Target target,
      @Parameters(paramLabel = "XID", description = "Destination; TYPE:- is the default entry.")
          String xid,
      @Option(
              names = "--port",
              required = true,
              paramLabel = "N",
              description = "Port of the node, or -1 drop, -2 local, -6 unreachable, -7 fallback.")
          int port,
      @Option(names = "--next", paramLabel = "HID", description = "Next hop.")
          @Nullable String next) {
    Destination to = destination(xid);
    RouteEntry entry = new RouteEntry(to.xid, port(port), hop(next), RouteEntry.FLAGS_DAEMON);
    return with(xia, target, control -> control.set(to.type, entry));
  }

  @Command(
      name = "remove",
      mixinStandardHelpOptions = true,
      description = "Remove an entry; fails if there is none.")
  int remove(
      @Mixin StackOption xia,
      @Mixin Target target,
      @Parameters(paramLabel = "XID", description = "Destination; TYPE:- resets the default.")
          String xid) {
    Destination to = destination(xid);
    return with(xia, target, control -> control.remove(to.type, to.xid));
  }

  private record Destination(XidType type, @Nullable Xid xid) {}

  private Destination destination(String text) {
    if (text.strip().contains(" ")) {
      throw usage("a destination is one XID, not a DAG: '" + text + "'");
    }
    if (text.endsWith(":-")) {
      XidType type = XidType.ofName(text.substring(0, text.length() - 2));
      if (type == null) {
        throw usage("unknown principal type in '" + text + "'; there are AD, HID, CID, SID, IP");
      }
      return new Destination(type, null);
    }
    Xid xid = xid(text);
    return new Destination(Objects.requireNonNull(xid.type()), xid);
  }

  private @Nullable Xid hop(@Nullable String next) {
    if (next == null) {
      return null;
    }
    Xid hop = xid(next);
    if (!hop.is(XidType.HID)) {
      throw usage("--next: a next hop is a HID, not " + hop);
    }
    return hop;
  }

  private Xid xid(String text) {
    try {
      return Xid.parse(text);
    } catch (DagParseException e) {
      throw usage(e.getMessage() + "\n" + e.pointer());
    }
  }

  private ParameterException usage(String message) {
    CommandLine command = Objects.requireNonNull(spec).commandLine();
    CommandLine.ParseResult parsed = command.getParseResult();
    boolean behind = parsed != null && parsed.hasSubcommand();
    return new ParameterException(
        behind ? parsed.subcommand().commandSpec().commandLine() : command, message);
  }

  private int with(
      StackOption xia, Target target, Function<RouteControl, CompletableFuture<Void>> work) {
    CommandSpec s = Objects.requireNonNull(spec);
    try {
      if (target.control != null) {
        overControlSocket(target, work);
      } else {
        try (XiaStack stack = xia.open()) {
          Running.call(
              stack,
              () ->
                  work.apply(
                      target.node == null
                          ? HandlerRouteControl.of(stack)
                          : HandlerRouteControl.of(stack, target.node)));
        }
      }
      s.commandLine().getOut().flush();
      return 0;
    } catch (XiaException e) {
      s.commandLine()
          .getErr()
          .println("xmig route: " + explained(String.valueOf(e.getMessage()), target));
      return 1;
    }
  }

  /** What a node says is Click's wording; what to do about it comes first. */
  private static String explained(String said, Target target) {
    String hint = null;
    if (said.contains("code=" + NO_ELEMENT)) {
      hint =
          target.node == null
              ? "this node has no routing table of that type"
              : "no node '"
                  + target.node
                  + "' there; --node is the name of its element in the Click file";
    } else if (said.contains("duplicate ")) {
      hint = "there is such an entry already; 'xmig route set' overwrites it";
    } else if (said.contains("nonexistent XID")) {
      hint = "there is no such entry; 'xmig route show' lists them";
    }
    return hint == null ? said : hint + " (" + said + ")";
  }

  /**
   * Checks what Click takes as it is: a packet to a port that is none is dropped without a word.
   */
  private int port(int number) {
    if (number < LOWEST_CODE || number > HIGHEST_PORT) {
      throw usage(
          "--port: a port is 0 to "
              + HIGHEST_PORT
              + ", a code -1 to "
              + LOWEST_CODE
              + ", not "
              + number);
    }
    return number;
  }

  private void overControlSocket(
      Target target, Function<RouteControl, CompletableFuture<Void>> work) {
    String where = Objects.requireNonNull(target.control);
    String node = target.node;
    if (node == null) {
      throw usage("--control needs --node, the element's name in the Click file, e.g. router0");
    }
    int colon = where.lastIndexOf(':');
    int port = ControlSocketClient.DEFAULT_PORT;
    if (colon >= 0) {
      try {
        port = Integer.parseInt(where.substring(colon + 1));
      } catch (NumberFormatException e) {
        port = -1;
      }
      if (port < 1 || port > 65_535) {
        throw usage("--control: expected HOST:PORT, not '" + where + "'");
      }
    }
    InetSocketAddress server =
        new InetSocketAddress(colon >= 0 ? where.substring(0, colon) : where, port);
    if (server.isUnresolved()) {
      throw usage("--control: no such host: " + server.getHostString());
    }
    try (RouteControl control =
        HandlerRouteControl.of(new ControlSocketClient(server, LIMIT, Runnable::run), node)) {
      Running.await(work.apply(control));
    }
  }
}
