package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Throughput and fairness of the congestion controls on shaped links, on virtual time. {@code
 * -Dxmig.grid=full} runs and prints the whole grid.
 */
class CongestionGridTest {
  private static final long SECOND = 1_000_000_000L;

  /**
   * @param loss of frames, in both directions: of data and of requests
   * @param reorder part of the data frames that others overtake, by an eighth of the round trip
   */
  private record Case(
      double megabit, double rttMs, double loss, double reorder, double bufferBdp, int mtu) {
    Case(double megabit, double rttMs, double loss, double bufferBdp, int mtu) {
      this(megabit, rttMs, loss, 0, bufferBdp, mtu);
    }

    double bdpBytes() {
      return megabit * 1e6 / 8 * rttMs / 1e3;
    }

    long settleNs() {
      return Math.max(SECOND, (long) (30 * rttMs * 1e6));
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%6.0f Mbit/s %5.0f ms %4.1f %% loss %4.1f BDP buffer mtu %5d",
          megabit,
          rttMs,
          loss * 100,
          bufferBdp,
          mtu);
    }
  }

  /** Share of the bottleneck's payload capacity used by each flow after the beginning. */
  private static double[] run(
      String control, Case c, int flows, long staggerNs, long settleNs, StringBuilder out) {
    ChunkNet net = new ChunkNet(42);
    ChunkNet.Host server = net.new Host(1, 1);
    server.mtu = c.mtu;
    server.up.rate(c.megabit).delayNs = (long) (c.rttMs * 1e6 / 2);
    server.up.queueBytes = (long) Math.max(20 * c.mtu, c.bufferBdp * c.bdpBytes());
    server.up.loss = c.loss;
    server.up.reorder = c.reorder;
    server.up.reorderNs = Math.max(1_000_000L, (long) (c.rttMs * 1e6 / 8));
    ChunkOptions options =
        ChunkOptions.defaults()
            .withCongestionControl(control)
            .withLimits(4 << 20, 1 << 30, 256 << 20);
    ChunkTransport serving = new ChunkTransport(server, options);
    long rtt = (long) (c.rttMs * 1e6);
    int chunk = 256 << 10;
    int parallel = (int) Math.max(8, 6 * (c.bdpBytes() + server.up.queueBytes) / chunk);
    List<Bulk> bulks = new ArrayList<>();
    for (int i = 0; i < flows; i++) {
      ChunkNet.Host client = net.new Host(2, 10 + i);
      client.mtu = c.mtu;
      client.down.delayNs = 0;
      client.up.delayNs = (long) (c.rttMs * 1e6 / 2);
      client.up.loss = c.loss;
      int tag = i;
      net.at(
          i * staggerNs,
          () ->
              bulks.add(
                  new Bulk(serving, new ChunkTransport(client, options), chunk, parallel, tag)));
    }
    long warm = (flows - 1) * staggerNs + settleNs;
    long measure = Math.max(3 * SECOND, 100 * rtt);
    net.run(warm);
    long[] before = bulks.stream().mapToLong(b -> b.bytes).toArray();
    long droppedBefore = server.up.dropped;
    long deliveredBefore = server.up.delivered;
    net.run(warm + measure);
    double capacity = c.megabit * 1e6 / 8 * measure / 1e9 * (c.mtu - 148.0) / c.mtu;
    double[] shares = new double[flows];
    for (int i = 0; i < flows; i++) {
      shares[i] = (bulks.get(i).bytes - before[i]) / capacity;
    }
    out.append(
        String.format(
            Locale.ROOT,
            "%-6s %s: dropped %.2f %% queue %.1f BDP timeouts %d spurious %d",
            control,
            c,
            100.0
                * (server.up.dropped - droppedBefore)
                / (server.up.delivered - deliveredBefore + 1),
            server.up.maxQueued / c.bdpBytes(),
            bulks.stream().mapToLong(b -> b.client.counters().timeouts).sum(),
            bulks.stream().mapToLong(b -> b.client.counters().spuriousLosses).sum()));
    if (Boolean.getBoolean("xmig.grid.state")) {
      bulks.forEach(b -> out.append("\n   ").append(b.client.fetcher().flow(server.address.hid())));
    }
    return shares;
  }

  private static double sum(double[] shares) {
    double sum = 0;
    for (double s : shares) {
      sum += s;
    }
    return sum;
  }

  private static double jain(double[] shares) {
    double squares = 0;
    for (double s : shares) {
      squares += s * s;
    }
    return sum(shares) * sum(shares) / (shares.length * squares);
  }

  @Test
  void printsTheGridWhenAsked() {
    if (!"full".equals(System.getProperty("xmig.grid"))) {
      return;
    }
    for (String control : System.getProperty("xmig.controls", "bbr,cubic").split(",")) {
      for (double rate : new double[] {10, 100, 1000}) {
        for (double rtt : new double[] {1, 20, 100}) {
          if (rate == 1000 && rtt == 100) {
            continue;
          }
          for (double loss : new double[] {0, 0.005, 0.01}) {
            for (double buffer : new double[] {0.5, 1, 4}) {
              Case c = new Case(rate, rtt, loss, buffer, rate == 1000 ? 9000 : 1500);
              StringBuilder out = new StringBuilder();
              double used = sum(run(control, c, 1, 0, c.settleNs(), out));
              System.out.printf(Locale.ROOT, "%5.3f %s%n", used, out);
            }
          }
        }
      }
    }
  }

  @Test
  void printsFairnessWhenAsked() {
    if (!"full".equals(System.getProperty("xmig.grid"))) {
      return;
    }
    for (String control : System.getProperty("xmig.controls", "bbr,cubic").split(",")) {
      for (double rate : new double[] {100, 1000}) {
        for (double rtt : new double[] {1, 20}) {
          for (double loss : new double[] {0, 0.005}) {
            for (double buffer : new double[] {0.5, 1, 4}) {
              Case c = new Case(rate, rtt, loss, buffer, rate == 1000 ? 9000 : 1500);
              StringBuilder out = new StringBuilder();
              double[] shares = run(control, c, 2, SECOND, c.settleNs(), out);
              System.out.printf(
                  Locale.ROOT,
                  "jain %5.3f sum %5.3f (%.2f %.2f) %s%n",
                  jain(shares),
                  sum(shares),
                  shares[0],
                  shares[1],
                  out);
            }
          }
        }
      }
    }
  }

  private static double used(String control, Case c) {
    return sum(run(control, c, 1, 0, c.settleNs(), new StringBuilder()));
  }

  @ParameterizedTest(name = "{0} Mbit/s, {1} ms, buffer of {2} BDP")
  @CsvSource({
    "10, 20, 1, 1500",
    "100, 1, 1, 1500",
    "100, 20, 0.5, 1500",
    "100, 100, 1, 1500",
    "1000, 1, 0.5, 9000",
    "1000, 20, 1, 9000"
  })
  void everyControlFillsACleanPath(double megabit, double rttMs, double buffer, int mtu) {
    Case c = new Case(megabit, rttMs, 0, buffer, mtu);
    assertThat(used("bbr", c)).as("bbr").isGreaterThan(0.9);
    assertThat(used("cubic", c)).as("cubic").isGreaterThan(0.9);
  }

  @ParameterizedTest(name = "{0} Mbit/s, {1} ms, {2} random loss, buffer of {3} BDP")
  @CsvSource({
    "10, 100, 0.005, 1, 1500", "100, 20, 0.01, 0.5, 1500", "100, 50, 0.005, 1, 1500",
    "100, 100, 0.01, 1, 1500", "1000, 1, 0.01, 0.5, 9000", "1000, 20, 0.005, 1, 9000"
  })
  void bbrFillsAPathWithRandomLoss(
      double megabit, double rttMs, double loss, double buffer, int mtu) {
    assertThat(used("bbr", new Case(megabit, rttMs, loss, buffer, mtu))).isGreaterThan(0.95);
  }

  @ParameterizedTest(name = "{0} Mbit/s, {1} ms, {2} loss, {3} reordered, buffer of {4} BDP")
  @CsvSource({
    "100, 20, 0, 0.01, 1, 1500, 0.9",
    "100, 50, 0.005, 0.01, 1, 1500, 0.9",
    "100, 50, 0.02, 0, 1, 1500, 0.85",
    "100, 50, 0.03, 0.01, 1, 1500, 0.85",
    "1000, 1, 0.01, 0.01, 1, 9000, 0.9",
    "1000, 40, 0.01, 0.01, 0.1, 1500, 0.85",
    "1000, 40, 0.03, 0.01, 1, 9000, 0.6"
  })
  void bbrFillsAPathThatLosesBothWaysAndReorders(
      double megabit,
      double rttMs,
      double loss,
      double reorder,
      double buffer,
      int mtu,
      double atLeast) {
    assertThat(used("bbr", new Case(megabit, rttMs, loss, reorder, buffer, mtu)))
        .isGreaterThan(atLeast);
  }

  @ParameterizedTest(name = "{0} Mbit/s, {1} ms, {2} loss, buffer of {3} BDP, after {5} s")
  @CsvSource({
    "1000, 1, 0, 0.5, 9000, 1",
    "1000, 1, 0, 4, 9000, 1",
    "100, 1, 0, 4, 1500, 1",
    "100, 20, 0, 1, 1500, 8",
    "100, 20, 0.005, 4, 1500, 8"
  })
  void twoBbrFlowsShareABottleneckEvenlyAlthoughOneCameLater(
      double megabit, double rttMs, double loss, double buffer, int mtu, int settleSeconds) {
    Case c = new Case(megabit, rttMs, loss, buffer, mtu);
    double[] shares = run("bbr", c, 2, SECOND, settleSeconds * SECOND, new StringBuilder());
    assertThat(jain(shares)).as("%s", Arrays.toString(shares)).isGreaterThan(0.95);
    assertThat(sum(shares)).isGreaterThan(0.93);
  }
}
