package io.xmig.control.cli;

import io.xmig.control.resident.ResidentServer;
import io.xmig.xia.XiaException;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.cli.TimeSpan;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.EndOfProcess;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xmig pipes}: a process that carries one migration after the other. */
@Command(
    name = "pipes",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Stay, and do what 'xmig send' and 'xmig receive' do for one QEMU after the other, without a"
          + " new process for each: what is compiled once is fast from the first byte.",
      "",
      "'xmig host' starts one by itself. QEMU is joined by a Unix-domain socket (migrate unix:…),"
          + " a transfer is asked for with one line of JSON on the control socket.",
      "",
      "Fastest inside the host's node: xmig node FILE --with 'HOST_A=pipes --socket PATH', which"
          + " 'xmig host --pipes PATH' then uses."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:stopped by a signal, by request or after --idle-exit",
      "1:could not start",
      "2:wrong usage"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig pipes --socket /run/xmig/pipes.sock --xia node:/run/xmig/a.api",
      "  echo '{\"do\":\"start\",\"id\":\"vm7\",\"qemu\":\"/run/vm7.out\",\"exit\":\"/run/vm7.exit\",",
      "    \"words\":[\"send\",\"--to\",\"HOST_B.xia\"]}' | tr -d '\\n' |",
      "    (cat; echo) | socat - UNIX:/run/xmig/pipes.sock",
      "  (qemu) migrate unix:/run/vm7.out"
    })
public final class PipesCommand implements Callable<Integer> {
  private static final long LOOK_MILLIS = 500;
  private static final int MOST = 64;
  private static final long RELEASE_NS = 3_000_000_000L;
  private static final String LIBRARY = "libxsocket";

  @Spec private CommandSpec spec;

  @Mixin private StackOption xia = new StackOption();

  @Option(
      names = "--socket",
      required = true,
      paramLabel = "PATH",
      description = "Where to listen for requests; only this user may connect.")
  private Path socket = Path.of("pipes.sock");

  @Option(
      names = "--max-transfers",
      paramLabel = "N",
      defaultValue = "8",
      description = "Transfers at a time: memory. Default: ${DEFAULT-VALUE}.")
  private int maxTransfers = 8;

  @Option(
      names = "--warm-up",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "2s",
      description =
          "How long to transfer to itself at the start, so that everything is compiled; ends as soon"
              + " as a migration begins. 0: not at all. Default: ${DEFAULT-VALUE}.")
  private Duration warmUp = Duration.ofSeconds(2);

  @Option(
      names = "--idle-exit",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "0",
      description =
          "End after this time without a transfer and without anybody connected to --socket, 0:"
              + " never. Default: ${DEFAULT-VALUE}.")
  private Duration idleExit = Duration.ZERO;

  private final CountDownLatch ending = new CountDownLatch(1);
  private volatile int transfersNow;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    PrintWriter out = spec.commandLine().getOut();
    String stack = xia.spec();
    WarmUp warming = new WarmUp(xia::open, warmUp);
    Transfers transfers = transfers(StackSource.BY_OPTION, warming, ending::countDown, () -> {});
    ResidentServer server;
    try {
      server = new ResidentServer(socket.toAbsolutePath(), transfers);
    } catch (IOException e) {
      err.println("xmig pipes: " + e.getMessage());
      return 1;
    }
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              ending.countDown();
              awaitQuietly(ended);
              EndOfProcess.halt(0);
            },
            "stop-pipes");
    Runtime.getRuntime().addShutdownHook(hook);
    ready(out);
    if (stack == null || !stack.startsWith(LIBRARY)) {
      startWarming(warming, out);
    }
    stayUntilTold(server, transfers);
    server.close();
    transfers.close();
    ended.countDown();
    return 0;
  }

  /**
   * Serves inside a node.
   *
   * @param stacks opens stacks on it, which transfers get that name no other one
   * @throws IOException if the control socket cannot be had
   */
  NodeService.Running serveInNode(Supplier<XiaStack> stacks) throws IOException {
    if (!idleExit.isZero()) {
      throw new ParameterException(
          spec.commandLine(), "--idle-exit: these pipes are part of a node and stay");
    }
    PrintWriter out = spec.commandLine().getOut();
    WarmUp warming = new WarmUp(stacks, warmUp);
    StackSource here =
        chosen ->
            chosen.spec() == null || chosen.spec().equals(xia.spec())
                ? stacks.get()
                : chosen.open();
    EventLoop loop;
    try (XiaStack any = stacks.get()) {
      loop = any.loop(); // the node's, of all of them
    }
    Transfers transfers = transfers(here, warming, null, () -> releaseLater(loop));
    ResidentServer server = new ResidentServer(socket.toAbsolutePath(), transfers);
    ready(out);
    startWarming(warming, out);
    return new Serving(server, transfers);
  }

  /**
   * Gives memory back when there has been no transfer for a while; collecting it stops the node.
   */
  private void releaseLater(EventLoop loop) {
    Runnable release =
        () -> {
          if (transfersNow == 0) {
            Memory.release();
          }
        };
    loop.execute(() -> loop.schedule(RELEASE_NS, release));
  }

  private record Serving(ResidentServer server, Transfers transfers)
      implements NodeService.Running {
    @Override
    public Map<String, Supplier<String>> handlers() {
      return Map.of("transfers", () -> Integer.toString(transfers.count()));
    }

    @Override
    public void close() {
      server.close();
      transfers.end();
    }
  }

  /**
   * @param onIdle is told when the last transfer has ended
   */
  private Transfers transfers(
      StackSource stacks, WarmUp warming, @Nullable Runnable onQuit, Runnable onIdle) {
    if (maxTransfers < 1 || maxTransfers > MOST) {
      throw new ParameterException(spec.commandLine(), "--max-transfers must be 1 to " + MOST);
    }
    String stack = xia.spec();
    return new Transfers(
        stack == null ? "" : stack,
        stacks,
        maxTransfers,
        spec.commandLine().getErr(),
        (running, begun) -> {
          transfersNow = running;
          if (begun) {
            warming.stop();
          } else if (running == 0) {
            onIdle.run();
          }
        },
        onQuit);
  }

  private void ready(PrintWriter out) {
    out.println("pipes ready: socket " + socket.toAbsolutePath());
    out.flush();
  }

  private void startWarming(WarmUp warming, PrintWriter out) {
    if (!warmUp.isZero()) {
      Thread thread = new Thread(() -> warm(warming, out), "warm-up");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private static void awaitQuietly(CountDownLatch ended) {
    try {
      ended.await(3, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void warm(WarmUp warming, PrintWriter out) {
    long began = System.nanoTime();
    try {
      long bytes = warming.run();
      Memory.release();
      out.printf("warm after %d ms and %d bytes%n", (System.nanoTime() - began) / 1_000_000, bytes);
    } catch (XiaException e) {
      out.println("not warmed up: " + e.getMessage());
    }
    out.flush();
  }

  /** Also gives memory back after each time of work. */
  private void stayUntilTold(ResidentServer server, Transfers transfers)
      throws InterruptedException {
    long idleSince = System.nanoTime();
    boolean worked = false;
    while (!ending.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      long now = System.nanoTime();
      if (transfers.count() > 0) {
        worked = true;
        idleSince = now;
      } else if (worked) {
        worked = false;
        Memory.release();
      }
      if (server.connections() > 0) {
        idleSince = now;
      }
      if (!idleExit.isZero() && now - idleSince > idleExit.toNanos()) {
        return;
      }
    }
  }
}
