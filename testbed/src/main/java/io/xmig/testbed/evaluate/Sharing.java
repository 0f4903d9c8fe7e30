package io.xmig.testbed.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.testbed.run.Lab;
import io.xmig.testbed.run.Nodes;
import io.xmig.testbed.run.RunException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Two streams at once over the link of the LAN setting, through the hosts' resident pipes, in place
 * of two migrations: two more QEMUs would compete for the processors, not for the link. What counts
 * is the time in which both are under way.
 */
final class Sharing {
  private static final Setting LAN = Networks.LAN.setting(false);
  private static final int STREAMS = 2;
  private static final long MOST_BYTES = 1L << 30;
  private static final Duration MOST = Duration.ofSeconds(8);
  private static final long LIMIT_SECONDS = 60;

  /** The windows open. */
  private static final long SETTLE_MS = 1500;

  private static final long LEAST_MS = 1000;

  private final boolean keep;

  Sharing(boolean keep) {
    this.keep = keep;
  }

  List<Aside> run() throws IOException {
    try (Lab lab = Lab.open(keep)) {
      Nodes nodes = Nodes.inNamespaces(lab, LAN.scenario(), LAN.mtu(), LAN.shape(), false);
      HostPipes pipes = new HostPipes(lab, nodes);
      new WarmTransfer(pipes).result();
      List<RawStream> streams = new ArrayList<>();
      List<FutureTask<Long>> tasks = new ArrayList<>();
      for (int i = 0; i < STREAMS; i++) {
        RawStream stream = pipes.stream("stream" + i, 0, MOST_BYTES, MOST);
        FutureTask<Long> task = new FutureTask<>(stream::carry);
        streams.add(stream);
        tasks.add(task);
        Thread thread = new Thread(task, "stream" + i);
        thread.setDaemon(true);
        thread.start();
      }
      for (FutureTask<Long> task : tasks) {
        await(task);
      }
      return judge(progress(streams.get(0)), progress(streams.get(1)), LAN.bytesPerSecond());
    }
  }

  private static void await(FutureTask<Long> task) {
    try {
      task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new RunException("a stream failed: " + e.getCause().getMessage(), e);
    } catch (TimeoutException e) {
      throw new RunException("the streams do not end", Map.of("limit", LIMIT_SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RunException("interrupted", e);
    }
  }

  /** Bytes written by a receiver over time, ms. */
  private static TreeMap<Long, Long> progress(RawStream stream) throws IOException {
    TreeMap<Long, Long> written = new TreeMap<>();
    boolean verified = false;
    for (String line : Files.readAllLines(stream.report(), StandardCharsets.UTF_8)) {
      JsonNode node = new ObjectMapper().readTree(line);
      long bytes = node.path("written").asLong();
      verified |= node.path("event").asText().equals("verified");
      if (!verified && bytes > 0) {
        written.put(node.path("timeMs").asLong(), bytes);
      }
    }
    if (!verified) {
      throw new RunException("a stream was not verified", Map.of("report", stream.report()));
    }
    return written;
  }

  /** Fairness and use of the link while both were under way. */
  static List<Aside> judge(TreeMap<Long, Long> a, TreeMap<Long, Long> b, long linkBytesPerSecond) {
    if (a.isEmpty() || b.isEmpty()) {
      throw new RunException("a stream was too short to be seen", Map.of());
    }
    long from = Math.max(a.firstKey(), b.firstKey()) + SETTLE_MS;
    long to = Math.min(a.lastKey(), b.lastKey());
    if (to - from < LEAST_MS) {
      throw new RunException("the streams were hardly under way together", Map.of("ms", to - from));
    }
    double x = rate(a, from, to);
    double y = rate(b, from, to);
    String note =
        String.format(
            Locale.ROOT,
            "two streams through resident pipes, %.1f and %.1f MB/s for %.1f s",
            x / 1e6,
            y / 1e6,
            (to - from) / 1e3);
    return List.of(
        Aside.of(Aside.JAIN, (x + y) * (x + y) / (2 * (x * x + y * y)), "", note),
        Aside.of(Aside.SHARED, (x + y) / linkBytesPerSecond, "", note));
  }

  private static double rate(TreeMap<Long, Long> written, long from, long to) {
    return (at(written, to) - at(written, from)) * 1e3 / (to - from);
  }

  /** Between two reports the stream is taken to be even. */
  private static double at(TreeMap<Long, Long> written, long ms) {
    var before = written.floorEntry(ms);
    var after = written.ceilingEntry(ms);
    if (before == null || after == null) {
      return before == null ? after.getValue() : before.getValue();
    }
    double share =
        before.getKey().equals(after.getKey())
            ? 0
            : (double) (ms - before.getKey()) / (after.getKey() - before.getKey());
    return before.getValue() + share * (after.getValue() - before.getValue());
  }
}
