package io.xmig.testbed.workload;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSockets;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The calculation service of the paper and its client, by hand. */
@Command(
    name = "cal",
    scope = CommandLine.ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    subcommands = {CalCommand.Serve.class, CalCommand.Client.class},
    description = "The calculation service (Goldbach's conjecture) and its client.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:it failed; the message says why", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig cal serve --xia node:/run/vm.api",
      "  xmig cal client vm.xia --socket dgram --seconds 10"
    })
public final class CalCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "serve or client?");
  }

  /** The service. */
  @Command(
      name = "serve",
      mixinStandardHelpOptions = true,
      description = "Answer questions on STREAM and DGRAM until the process is ended.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {"0:ended by a signal", "1:the services could not be bound", "2:wrong usage"})
  public static final class Serve implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private StackOption xia;

    @Override
    public Integer call() throws Exception {
      try (XiaSockets sockets = new XiaSockets(xia.open())) {
        CalServer server = sockets.call(CalServer::start);
        PrintWriter out = spec.commandLine().getOut();
        out.println("ready: " + sockets.localAddress().service(CalServer.STREAM_SID));
        out.flush();
        EventLoop loop = sockets.stack().loop();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> loop.execute(server::close)));
        new CountDownLatch(1).await();
        return 0;
      }
    }
  }

  /** The client. */
  @Command(
      name = "client",
      mixinStandardHelpOptions = true,
      description = "Ask a calculation service and verify every answer.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {
        "0:every answer was right and the connection kept",
        "1:a wrong answer, none at all, or the connection was lost",
        "2:wrong usage"
      })
  public static final class Client implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private StackOption xia;

    @Parameters(
        index = "0",
        paramLabel = "HOST",
        description = "A name, or DAG text of the host or the service.")
    private String host;

    @Option(
        names = "--socket",
        paramLabel = "KIND",
        defaultValue = "stream",
        description = "stream or dgram. Default: ${DEFAULT-VALUE}.")
    private String socket;

    @Option(
        names = {"-i", "--interval"},
        paramLabel = "MS",
        defaultValue = "100",
        description = "Time between two questions. Default: ${DEFAULT-VALUE}.")
    private int intervalMs;

    @Option(
        names = "--seconds",
        paramLabel = "S",
        defaultValue = "10",
        description = "How long to ask. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    @Option(
        names = "--json",
        description = "Print one JSON object with the counts and every sample.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
      boolean stream = socket.equals("stream");
      if (!stream && !socket.equals("dgram")) {
        throw new ParameterException(
            spec.commandLine(), "--socket is stream or dgram, not " + socket);
      }
      if (intervalMs < 1 || seconds < 1) {
        throw new ParameterException(
            spec.commandLine(), "--interval and --seconds must be at least 1");
      }
      Duration interval = Duration.ofMillis(intervalMs);
      Xid sid = stream ? CalServer.STREAM_SID : CalServer.DGRAM_SID;
      try (XiaSockets sockets = new XiaSockets(xia.open())) {
        CalClient client =
            sockets.call(
                stack ->
                    Targets.service(stack, host, sid)
                        .thenCompose(
                            dag ->
                                stream
                                    ? CalClient.stream(stack, dag, interval, Duration.ofSeconds(10))
                                    : CalClient.dgram(stack, dag, interval)));
        EventLoop loop = sockets.stack().loop();
        TimeUnit.SECONDS.sleep(seconds);
        loop.execute(client::stopAsking);
        TimeUnit.MILLISECONDS.sleep(500);
        CalClient.Outcome outcome =
            sockets.call(stack -> CompletableFuture.completedFuture(client.outcome()));
        loop.execute(client::close);
        print(outcome);
        return outcome.good() ? 0 : 1;
      }
    }

    private void print(CalClient.Outcome outcome) throws Exception {
      PrintWriter out = spec.commandLine().getOut();
      long asked = outcome.log().samples().size();
      if (json) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("socket", outcome.socket());
        record.put("asked", asked);
        record.put("answered", outcome.log().answered());
        record.put("wrong", outcome.wrong());
        record.put("broken", outcome.broken());
        record.put("samples", outcome.log().samples());
        out.println(new ObjectMapper().writeValueAsString(record));
      } else {
        out.printf(
            Locale.ROOT,
            "%s: %d asked, %d answered, %d wrong, connection %s%n",
            outcome.socket(),
            asked,
            outcome.log().answered(),
            outcome.wrong(),
            outcome.broken() == null ? "kept" : "lost: " + outcome.broken());
      }
      out.flush();
    }
  }
}
