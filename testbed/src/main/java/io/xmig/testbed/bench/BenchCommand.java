package io.xmig.testbed.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.xmig.xia.cli.ByteSize;
import io.xmig.xia.host.RouterCache;
import io.xmig.xia.link.Link;
import io.xmig.xia.link.LinkShape;
import io.xmig.xia.node.NodeConfig;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig bench}: measures the parts of the way that a migration takes. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measure the parts of the way that a migration takes, and print one table.",
      "",
      "chunk    goodput of chunks from node to node through a router, three processes",
      "stream   the same for STREAM connections",
      "forward  packets that one core forwards between in-memory links",
      "hash     SHA-1, SHA-256 and both, of one core",
      "ipc      the local API between a program and its node: round trip, throughput",
      "",
      "Rates are in 10^6 bytes per second. Processes and files of a bench are gone when it ends.",
      ""
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:everything was measured",
      "1:a bench failed; the message says why",
      "2:wrong usage"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig bench",
      "  xmig bench chunk --mtu 9000 --repetitions 9",
      "  xmig bench chunk stream --links udp --mtu 1500,9000 --json",
      "  xmig bench chunk --shape 100mbit,10ms,0.5%% --mtu 1500 --size 32M",
      "  xmig bench chunk --cache off,64 --mtu 9000  (what the router's cache costs)"
    })
public final class BenchCommand implements Callable<Integer> {
  private static final int MAX_CHUNK_BYTES = 4 << 20;
  private static final int DEFAULT_SIZE = 256 << 20;
  private static final int MAX_REPETITIONS = 1000;
  private static final String ALL = "all";

  private static final Map<String, Supplier<Bench>> BENCHES = new LinkedHashMap<>();

  static {
    BENCHES.put("chunk", ChunkBench::new);
    BENCHES.put("stream", StreamBench::new);
    BENCHES.put("forward", ForwardBench::new);
    BENCHES.put("hash", HashBench::new);
    BENCHES.put("ipc", IpcBench::new);
  }

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "0..*",
      paramLabel = "BENCH",
      completionCandidates = Names.class,
      description = "What to measure: ${COMPLETION-CANDIDATES}. Default: all.")
  private List<String> wanted = new ArrayList<>();

  @Option(
      names = {"-n", "--repetitions"},
      paramLabel = "N",
      defaultValue = "5",
      description = "How often each is measured. Default: ${DEFAULT-VALUE}.")
  private int repetitions;

  @Option(
      names = "--warm-up",
      paramLabel = "S",
      defaultValue = "5",
      description = "Seconds before anything counts. Default: ${DEFAULT-VALUE}.")
  private double warmUpSeconds;

  @Option(
      names = "--size",
      paramLabel = "BYTES",
      converter = ByteSize.class,
      description = "Bytes of each repetition, e.g. 64M, 1G. Default: 256M.")
  private @Nullable Long size;

  @Option(
      names = "--mtu",
      paramLabel = "BYTES",
      split = ",",
      defaultValue = "1500,9000,65535",
      description = "MTUs of the links, one network after the other. Default: ${DEFAULT-VALUE}.")
  private List<Integer> mtus = new ArrayList<>();

  @Option(
      names = "--links",
      paramLabel = "KIND",
      defaultValue = "unix",
      description = "What joins the nodes: unix or udp sockets. Default: ${DEFAULT-VALUE}.")
  private BenchOptions.Links links = BenchOptions.Links.UNIX;

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      description = {
        "Each link, each way, as for 'xmig node': rate,delay,loss, e.g. 1gbit,0.5ms.",
        "Default: as fast as can be."
      })
  private @Nullable String shape;

  @Option(
      names = "--chunk-size",
      paramLabel = "BYTES",
      converter = ByteSize.class,
      description = "Length of a chunk, 1K to 4M. Default: 256K.")
  private @Nullable Long chunkBytes;

  @Option(
      names = "--cache",
      paramLabel = "CACHE",
      split = ",",
      defaultValue = "off",
      description = {
        "What the router keeps of what passes: off or MIB[:fifo|lru][:first|second]. Several are"
            + " measured in turn, each repetition with one after the other. Default: off."
      })
  private List<String> caches = new ArrayList<>();

  @Option(
      names = "--verify",
      description = "Check the hash of every chunk in the measured repetitions too.")
  private boolean verify;

  @Option(
      names = {"-P", "--parallel"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Connections of the stream bench, 1 to 64. Default: ${DEFAULT-VALUE}.")
  private int parallel;

  @Option(names = "--json", description = "Print one JSON object instead of the table.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Do not say on standard error what is being done.")
  private boolean quiet;

  private volatile boolean stopped;

  @Override
  public Integer call() throws Exception {
    BenchOptions options = options();
    List<String> names = new ArrayList<>(wanted);
    if (names.isEmpty() || names.contains(ALL)) {
      names = List.copyOf(BENCHES.keySet());
    }
    List<Figure> figures = new ArrayList<>();
    List<BenchReport.Use> processes = new ArrayList<>();
    Bench.Journal journal = journal(processes);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stopped = true));
    try {
      for (String name : names) {
        figures.addAll(BENCHES.get(name).get().run(options, journal));
      }
    } catch (RuntimeException e) {
      if (stopped) {
        new CountDownLatch(1).await(); // what failed did so because this process is ending
      }
      throw e;
    }
    BenchReport report =
        new BenchReport(BenchReport.Machine.here(), repetitions, figures, processes);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(
          new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(report));
      out.flush();
    } else {
      report.print(out);
    }
    return 0;
  }

  private Bench.Journal journal(List<BenchReport.Use> processes) {
    PrintWriter err = spec.commandLine().getErr();
    return new Bench.Journal() {
      @Override
      public void now(String what) {
        if (!quiet) {
          err.println(what);
          err.flush();
        }
      }

      @Override
      public void used(String bench, String setting, Map<String, ProcessUse> used) {
        used.forEach(
            (process, use) ->
                processes.add(
                    new BenchReport.Use(bench, setting, process, use.cpuSeconds(), use.peakMb())));
      }
    };
  }

  private BenchOptions options() {
    for (String name : wanted) {
      need(
          BENCHES.containsKey(name) || name.equals(ALL),
          "no bench '" + name + "', there are " + BENCHES.keySet() + " and all");
    }
    need(
        repetitions >= 1 && repetitions <= MAX_REPETITIONS,
        "--repetitions is 1 to " + MAX_REPETITIONS + ", not " + repetitions);
    need(warmUpSeconds >= 0 && warmUpSeconds <= 3600, "--warm-up is 0 to 3600 seconds");
    need(size == null || size >= 1, "--size is at least 1");
    for (int mtu : mtus) {
      need(
          mtu >= NodeConfig.Port.MIN_MTU && mtu <= Link.MAX_MTU,
          "--mtu is " + NodeConfig.Port.MIN_MTU + " to " + Link.MAX_MTU + ", not " + mtu);
    }
    need(
        chunkBytes == null || chunkBytes >= 1024 && chunkBytes <= MAX_CHUNK_BYTES,
        "--chunk-size is 1K to 4M");
    List<RouterCache> kept = new ArrayList<>();
    for (String cache : caches) {
      try {
        kept.add(RouterCache.parse(cache));
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec.commandLine(), "--cache: " + e.getMessage(), e);
      }
      need(
          kept.get(kept.size() - 1).bytes() <= 1L << 30,
          "--cache is at most 1024 MiB, not " + cache);
    }
    need(parallel >= 1 && parallel <= 64, "--parallel is 1 to 64, not " + parallel);
    if (shape != null) {
      need(
          links == BenchOptions.Links.UNIX,
          "--shape is for --links unix; leave one of the two out");
      try {
        LinkShape.parse(shape);
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec.commandLine(), "--shape: " + e.getMessage(), e);
      }
    }
    return new BenchOptions(
        repetitions,
        Duration.ofNanos((long) (warmUpSeconds * 1e9)),
        size == null ? DEFAULT_SIZE : size,
        List.copyOf(mtus),
        links,
        shape,
        chunkBytes == null ? BenchOptions.DEFAULT_CHUNK_BYTES : chunkBytes.intValue(),
        List.copyOf(kept),
        verify,
        parallel);
  }

  private void need(boolean condition, String otherwise) {
    if (!condition) {
      throw new ParameterException(spec.commandLine(), otherwise);
    }
  }

  /** The words that name a bench, for help and completion. */
  private static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      List<String> names = new ArrayList<>(BENCHES.keySet());
      names.add(ALL);
      return names.iterator();
    }
  }
}
