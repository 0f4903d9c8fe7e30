package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the transport makes of a link, on virtual time. */
class StreamThroughputTest {
  private static final long SECOND = 1_000_000_000L;

  /** Share of the link's rate, in packets' bytes, that a transfer in one direction used. */
  private static double share(
      String policy, int megabits, int rttMs, int mtu, double loss, double reorder, int queueMs) {
    long rate = megabits * 125_000L;
    long bytes = Math.max(4_000_000, Math.min(rate * 2, 100_000_000));
    StreamOptions options = StreamOptions.defaults().with(o -> o.congestionControl(policy));
    StreamTransferTest.Pair pair = new StreamTransferTest.Pair(7, bytes, 0, options);
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = rttMs * 500_000L;
      host.out.bytesPerSecond = rate;
      host.out.queueBytes = rate * queueMs / 1000;
      host.out.loss = loss;
      host.out.reorder = reorder;
      host.maxPacket = mtu;
    }
    pair.connect();
    long start = pair.net.nowNs;
    assertThat(pair.net.runUntil(600 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(bytes, 0);
    double seconds = (pair.net.nowNs - start) / 1e9;
    double headers = 1 - 208.0 / mtu;
    return bytes / seconds / (rate * headers);
  }

  @ParameterizedTest
  @CsvSource({
    "reno,100,20,1500,0,0,40,0.90",
    "cubic,100,20,1500,0,0,40,0.90",
    "bbr,100,20,1500,0,0,40,0.90",
    "cubic,1000,1,9000,0,0,5,0.90",
    "bbr,1000,1,9000,0,0,5,0.90",
    "cubic,1000,20,1500,0,0,20,0.60",
    "cubic,100,20,1500,0.01,0,40,0.06",
    "bbr,100,20,1500,0.01,0,40,0.8",
    "bbr,100,50,1500,0.005,0,40,0.7",
    "cubic,100,20,1500,0,0.01,40,0.85",
    "bbr,100,20,1500,0,0.01,40,0.85",
    "bbr,100,20,1500,0.01,0.01,40,0.8",
    "bbr,100,50,1500,0,0,40,0.75",
    "bbr,100,50,1500,0.005,0.01,40,0.7",
    "bbr,100,40,1500,0.03,0.01,40,0.6",
    "bbr,1000,20,9000,0.005,0.01,20,0.5",
    "bbr,1000,20,9000,0,0,20,0.60",
    "cubic,10,100,1500,0,0,100,0.85",
  })
  void usesTheLink(
      String policy,
      int megabits,
      int rttMs,
      int mtu,
      double loss,
      double reorder,
      int queueMs,
      double atLeast) {
    assertThat(share(policy, megabits, rttMs, mtu, loss, reorder, queueMs))
        .isGreaterThanOrEqualTo(atLeast);
  }
}
