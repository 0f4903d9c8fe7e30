package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * Throughput and fairness of the congestion controls on shaped links, on virtual time. {@code
 * -Dxmig.grid=full} runs and prints the whole grid.
 */
class CongestionGridTest {
  private static final long SECOND = 1_000_000_000L;

  private record Case(double megabit, double rttMs, double loss, double bufferBdp, int mtu) {
    double bdpBytes() {
      return megabit * 1e6 / 8 * rttMs / 1e3;
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
  private static double[] run(String control, Case c, int flows, long staggerNs, StringBuilder out) {
    ChunkNet net = new ChunkNet(42);
    ChunkNet.Host server = net.new Host(1, 1);
    server.mtu = c.mtu;
    server.up.rate(c.megabit).delayNs = (long) (c.rttMs * 1e6 / 2);
    server.up.queueBytes = (long) Math.max(20 * c.mtu, c.bufferBdp * c.bdpBytes());
    server.up.loss = c.loss;
    ChunkOptions options =
        ChunkOptions.defaults().withCongestionControl(control).withLimits(4 << 20, 1 << 30, 256 << 20);
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
      int tag = i;
      net.at(
          i * staggerNs,
          () ->
              bulks.add(
                  new Bulk(serving, new ChunkTransport(client, options), chunk, parallel, tag)));
    }
    long warm = (flows - 1) * staggerNs + Math.max(SECOND, 30 * rtt);
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
              double used = sum(run(control, c, 1, 0, out));
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
              double[] shares = run(control, c, 2, SECOND, out);
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

  @Test
  void bbrFillsACleanPath() {
    assertThat(sum(run("bbr", new Case(100, 20, 0, 1, 1500), 1, 0, new StringBuilder())))
        .isGreaterThan(0.9);
  }
}
