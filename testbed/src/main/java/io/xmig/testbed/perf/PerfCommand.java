package io.xmig.testbed.perf;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.xmig.testbed.workload.Targets;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.link.LinkShape;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSockets;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig perf}: the netperf of XIA. */
@Command(
    name = "perf",
    mixinStandardHelpOptions = true,
    subcommands = {PerfCommand.Server.class, PerfCommand.Client.class},
    description = "Measure throughput and latency between two hosts, over STREAM and DGRAM.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:it failed; the message says why", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig perf server --xia node:/tmp/net/HOST_B.api",
      "  xmig perf client vm.xia --seconds 10 --parallel 4",
      "  xmig perf client vm.xia --test rr --message 64 --json"
    })
public final class PerfCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "server or client?");
  }

  /** The server. */
  @Command(
      name = "server",
      mixinStandardHelpOptions = true,
      description = {
        "Serve any number of measurements until the process is ended.",
        "",
        "Prints the address for clients behind 'ready: '."
      },
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {"0:ended by a signal", "1:the services could not be bound", "2:wrong usage"},
      footerHeading = "%nExamples:%n",
      footer = {"  xmig perf server", "  xmig perf server --xia libxsocket"})
  public static final class Server implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private StackOption xia;

    @Override
    public Integer call() throws InterruptedException {
      try (XiaSockets sockets = new XiaSockets(xia.open())) {
        PerfServer server = sockets.call(PerfServer::start);
        EventLoop loop = sockets.stack().loop();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> loop.execute(server::close)));
        PrintWriter out = spec.commandLine().getOut();
        out.println("ready: " + sockets.localAddress().service(PerfServer.STREAM_SID));
        out.flush();
        new CountDownLatch(1).await();
        return 0;
      }
    }
  }

  /** The client. */
  @Command(
      name = "client",
      mixinStandardHelpOptions = true,
      description = "Measure towards a host on which 'xmig perf server' runs.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {
        "0:measured",
        "1:the server was not reached or broke off, or no datagram arrived",
        "2:wrong usage"
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  xmig perf client vm.xia",
        "  xmig perf client vm.xia --test reverse --seconds 30 --interval 5",
        "  xmig perf client 'RE AD:… HID:…' --test dgram --rate 200mbit --message 1200",
        "  xmig perf client vm.xia --test dgram-rr --message 64 --json"
      })
  public static final class Client implements Callable<Integer> {
    private static final Duration FINISH = Duration.ofSeconds(60);
    private static final int DEFAULT_STREAM_BYTES = 64 << 10;
    private static final int DEFAULT_DATAGRAM_BYTES = 1200;
    private static final int DEFAULT_REQUEST_BYTES = 64;

    @Spec private CommandSpec spec;
    @Mixin private StackOption xia;

    @Parameters(
        index = "0",
        paramLabel = "HOST",
        description = "A name, or DAG text of the host or the service.")
    private String host;

    @Option(
        names = {"-t", "--test"},
        paramLabel = "TEST",
        defaultValue = "stream",
        completionCandidates = Tests.class,
        description = {
          "stream: bytes to the server; reverse: bytes from it;",
          "dgram: datagrams to it at --rate; rr and dgram-rr: one request and one response after"
              + " the other. Default: ${DEFAULT-VALUE}."
        })
    private String test;

    @Option(
        names = {"-s", "--seconds"},
        paramLabel = "S",
        defaultValue = "10",
        description = "How long. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(
        names = {"-m", "--message"},
        paramLabel = "BYTES",
        description = {
          "Length of a message, datagram or request.",
          "Default: 65536 for stream and reverse, 1200 for dgram, 64 for rr and dgram-rr."
        })
    private @Nullable Integer message;

    @Option(
        names = "--response",
        paramLabel = "BYTES",
        description = "Length of a response of rr. Default: that of the request.")
    private @Nullable Integer response;

    @Option(
        names = {"-P", "--parallel"},
        paramLabel = "N",
        defaultValue = "1",
        description =
            "Connections or sockets at the same time, 1 to 64. Default: ${DEFAULT-VALUE}.")
    private int parallel;

    @Option(
        names = {"-i", "--interval"},
        paramLabel = "S",
        defaultValue = "1",
        description = "Time between two reports, 0 for none. Default: ${DEFAULT-VALUE}.")
    private double interval;

    @Option(
        names = {"-r", "--rate"},
        paramLabel = "RATE",
        defaultValue = "10mbit",
        description = {
          "Rate of dgram, all sockets together, e.g. 500kbit, 1.5gbit; 0 for as fast as this host"
              + " takes them. Default: ${DEFAULT-VALUE}."
        })
    private String rate;

    @Option(
        names = "--json",
        description = "Print one JSON object with everything at the end, and nothing else.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
      PerfOptions options = options();
      try (XiaSockets sockets = new XiaSockets(xia.open())) {
        PerfReport report = run(sockets, options);
        print(report);
        return report.messages() > 0 ? 0 : 1;
      }
    }

    private PerfOptions options() {
      try {
        PerfTest wanted = PerfTest.named(test);
        int length =
            message != null
                ? message
                : wanted.asksAndAnswers()
                    ? DEFAULT_REQUEST_BYTES
                    : wanted.onStream() ? DEFAULT_STREAM_BYTES : DEFAULT_DATAGRAM_BYTES;
        int back = response != null ? response : Math.max(length, PerfHello.MIN_MESSAGE_BYTES);
        return new PerfOptions(
            wanted, length, back, span(seconds), 0, parallel, span(interval), rate(rate));
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
      }
    }

    private static Duration span(double seconds) {
      if (!(seconds >= 0 && seconds <= 1e6)) {
        throw new IllegalArgumentException("not a number of seconds: " + seconds);
      }
      return Duration.ofNanos((long) (seconds * 1e9));
    }

    /** Bytes per second. */
    private static long rate(String text) {
      if (text.equals("0")) {
        return 0;
      }
      try {
        LinkShape shape = LinkShape.parse(text);
        if (shape.bytesPerSecond() > 0 && shape.equals(LinkShape.of(shape.bytesPerSecond(), 0))) {
          return shape.bytesPerSecond();
        }
      } catch (IllegalArgumentException e) {
        throw notARate(text, e);
      }
      throw notARate(text, null);
    }

    private static IllegalArgumentException notARate(
        String text, @Nullable IllegalArgumentException cause) {
      return new IllegalArgumentException(
          "--rate is a rate such as 500kbit, 10mbit or 1.5gbit, or 0, not '" + text + "'", cause);
    }

    private PerfReport run(XiaSockets sockets, PerfOptions options) {
      Xid sid = options.test().onStream() ? PerfServer.STREAM_SID : PerfServer.DGRAM_SID;
      Dag server = sockets.call(stack -> Targets.service(stack, host, sid));
      return sockets.call(
          stack -> PerfClient.run(stack, server, options, this::printInterval),
          options.duration().plus(FINISH));
    }

    private void printInterval(PerfReport.Interval interval) {
      if (json) {
        return;
      }
      PrintWriter out = spec.commandLine().getOut();
      out.printf(
          Locale.ROOT,
          "%6.1f to %6.1f s  %10.2f MB/s  %9d messages%n",
          interval.fromSeconds(),
          interval.toSeconds(),
          interval.mbPerSecond(),
          interval.messages());
      out.flush();
    }

    private void print(PerfReport report) throws Exception {
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(
            new ObjectMapper()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .writeValueAsString(report));
        out.flush();
        return;
      }
      out.printf(
          Locale.ROOT,
          "%s: %d bytes in %.2f s, %.2f MB/s (%.1f Mbit/s), %.0f messages/s, %.2f s of CPU here%n",
          report.test(),
          report.bytes(),
          report.seconds(),
          report.mbPerSecond(),
          report.mbitPerSecond(),
          report.messagesPerSecond(),
          report.cpuSeconds());
      PerfReport.Datagrams datagrams = report.datagrams();
      if (datagrams != null) {
        out.printf(
            Locale.ROOT,
            "%d sent, %d lost (%.3f %%), %d out of order, %d twice, jitter %.1f us%n",
            datagrams.sent(),
            datagrams.lost(),
            datagrams.lostPercent(),
            datagrams.reordered(),
            datagrams.duplicates(),
            datagrams.jitterUs());
      }
      PerfReport.RoundTrips rtt = report.rttUs();
      if (rtt != null) {
        out.printf(
            Locale.ROOT,
            "round trip in us: min %.1f, mean %.1f, 50 %% %.1f, 90 %% %.1f, 99 %% %.1f,"
                + " 99.9 %% %.1f, max %.1f%n",
            rtt.min(),
            rtt.mean(),
            rtt.p50(),
            rtt.p90(),
            rtt.p99(),
            rtt.p999(),
            rtt.max());
      }
      out.flush();
    }

    /** The words of {@code --test}, for completion. */
    private static final class Tests implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        List<String> words = new ArrayList<>();
        for (PerfTest each : PerfTest.values()) {
          words.add(each.word());
        }
        return words.iterator();
      }
    }
  }
}
