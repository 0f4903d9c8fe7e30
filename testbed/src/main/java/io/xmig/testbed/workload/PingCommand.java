package io.xmig.testbed.workload;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.socket.XiaSockets;
import io.xmig.xia.socket.XiaStack;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Xping for people: echo requests to a host, one line per answer. */
@Command(
    name = "ping",
    mixinStandardHelpOptions = true,
    description = "Send XCMP echo requests to a host and show its answers (Xping).",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:at least one answer",
      "1:no answer, or the stack cannot be used",
      "2:wrong usage"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig ping vm.xia",
      "  xmig ping -c 100 -i 10 'RE AD:1000000000000000000000000000000000000000 HID:…'"
    })
public final class PingCommand implements Callable<Integer> {
  private static final int SMALLEST = 16;
  private static final int LARGEST = 1400;

  @Spec private CommandSpec spec;
  @Mixin private StackOption xia;

  @Parameters(index = "0", paramLabel = "HOST", description = "A name, or DAG text down to a HID.")
  private String host;

  @Option(
      names = {"-c", "--count"},
      paramLabel = "N",
      defaultValue = "4",
      description = "Requests to send, 0 for no end. Default: ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = {"-i", "--interval"},
      paramLabel = "MS",
      defaultValue = "1000",
      description = "Time between two requests. Default: ${DEFAULT-VALUE}.")
  private int intervalMs;

  @Option(
      names = {"-s", "--size"},
      paramLabel = "BYTES",
      defaultValue = "56",
      description = "Data bytes of a request, 16 to 1400. Default: ${DEFAULT-VALUE}.")
  private int size;

  @Option(
      names = "--hops",
      paramLabel = "N",
      defaultValue = "250",
      description = "Hop limit. Default: ${DEFAULT-VALUE}.")
  private int hops;

  @Option(
      names = {"-W", "--wait"},
      paramLabel = "MS",
      defaultValue = "2000",
      description = "How long to wait for the last answer. Default: ${DEFAULT-VALUE}.")
  private int waitMs;

  @Option(
      names = "--json",
      description = "Print one JSON object with the statistics and every sample.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    check();
    try (XiaSockets sockets = new XiaSockets(xia.open())) {
      Dag dag = sockets.call(stack -> Targets.host(stack, host));
      Xping ping = sockets.call(stack -> start(stack, dag));
      return finish(sockets, dag, ping);
    }
  }

  private void check() {
    if (count < 0 || intervalMs < 1 || waitMs < 0) {
      throw new ParameterException(
          spec.commandLine(), "--count and --wait must not be negative, --interval at least 1");
    }
    if (size < SMALLEST || size > LARGEST) {
      throw new ParameterException(spec.commandLine(), "--size must be 16 to 1400, not " + size);
    }
    if (hops < 1 || hops > 255) {
      throw new ParameterException(spec.commandLine(), "--hops must be 1 to 255, not " + hops);
    }
  }

  private CompletableFuture<Xping> start(XiaStack stack, Dag dag) {
    PrintWriter out = spec.commandLine().getOut();
    Xping.Listener printer =
        new Xping.Listener() {
          @Override
          public void onReply(int sequence, Dag source, long rttUs, int bytes) {
            if (!json) {
              out.printf(
                  Locale.ROOT,
                  "%d bytes from %s: seq=%d time=%.3f ms%n",
                  bytes,
                  source.host() == null ? source : source.host(),
                  sequence,
                  rttUs / 1000.0);
              out.flush();
            }
          }

          @Override
          public void onError(Dag source, String what) {
            if (!json) {
              out.println(what + ", says " + source);
              out.flush();
            }
          }
        };
    return Xping.start(
            stack,
            dag,
            Duration.ofMillis(intervalMs),
            (int) ProcessHandle.current().pid(),
            size,
            hops,
            printer)
        .thenApply(
            ping -> {
              ping.limit(count);
              return ping;
            });
  }

  private int finish(XiaSockets sockets, Dag dag, Xping ping) throws Exception {
    while (count == 0 || onLoop(sockets, () -> ping.sent() < count)) {
      TimeUnit.MILLISECONDS.sleep(Math.min(intervalMs, 200));
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
    while (System.nanoTime() < deadline && onLoop(sockets, () -> ping.log().lost() > 0)) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    ProbeLog log = onLoop(sockets, ping::log);
    sockets.stack().loop().execute(ping::close);
    print(dag, log);
    return log.answered() > 0 ? 0 : 1;
  }

  private static <T> T onLoop(XiaSockets sockets, Supplier<T> call) {
    return sockets.call(stack -> CompletableFuture.completedFuture(call.get()));
  }

  private void print(Dag dag, ProbeLog log) throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    List<Long> rtts =
        log.samples().stream().filter(Sample::answered).map(Sample::rttUs).sorted().toList();
    double[] ms = rtts.stream().mapToDouble(us -> us / 1000.0).toArray();
    if (json) {
      Map<String, Object> record = new LinkedHashMap<>();
      record.put("target", dag.toString());
      record.put("sent", log.samples().size());
      record.put("answered", log.answered());
      record.put("lost", log.lost());
      record.put(
          "rttMs",
          ms.length == 0
              ? null
              : Map.of("min", ms[0], "median", ms[ms.length / 2], "max", ms[ms.length - 1]));
      record.put("samples", log.samples());
      out.println(new ObjectMapper().writeValueAsString(record));
    } else {
      out.printf(
          Locale.ROOT,
          "%d sent, %d answered, %d lost",
          log.samples().size(),
          log.answered(),
          log.lost());
      if (ms.length > 0) {
        out.printf(
            Locale.ROOT,
            "; min/median/max %.3f/%.3f/%.3f ms",
            ms[0],
            ms[ms.length / 2],
            ms[ms.length - 1]);
      }
      out.println();
    }
    out.flush();
  }
}
