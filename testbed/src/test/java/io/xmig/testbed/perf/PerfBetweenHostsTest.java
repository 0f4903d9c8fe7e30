package io.xmig.testbed.perf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
import io.xmig.xia.host.HostOptions;
import io.xmig.xia.host.NodeHost;
import io.xmig.xia.link.LinkShape;
import io.xmig.xia.socket.BlockingStream;
import io.xmig.xia.socket.XiaSockets;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two hosts on one link, a server on one and clients on the other. */
@Timeout(300)
class PerfBetweenHostsTest {
  private static final String FILE =
      """
      require(library xia_router_lib.click);
      host0 :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:0a:00);
      host1 :: XIAEndHost(RE AD0 HID1, HID1, 1600, 1, 02:00:00:00:0b:00);
      host0 -> LinkUnqueue(50us, 1 GB/s) -> host1 -> LinkUnqueue(50us, 1 GB/s) -> host0;
      """;

  @TempDir Path dir;
  private final List<AutoCloseable> opened = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  private NodeHost start(LinkShape shape) throws Exception {
    HostOptions options = HostOptions.in(dir).withShape(shape).withSeed(7);
    NodeHost host = NodeHost.start(Topology.parse("test.click", FILE), options);
    opened.add(host);
    for (String[] way : new String[][] {{"host0", "HID1"}, {"host1", "HID0"}}) {
      XiaStack stack = host.stack(way[0]);
      host.loop()
          .call(
              () ->
                  stack
                      .writeHandler("./xrc/n/proc/rt_AD.set", "AD0 -2")
                      .thenCompose(
                          done ->
                              stack.writeHandler(
                                  "./xrc/n/proc/rt_HID.set4", way[1] + ",0," + way[1] + ",0")))
          .get()
          .get(60, TimeUnit.SECONDS);
    }
    XiaStack serving = host.stack("host1");
    host.loop().call(() -> PerfServer.start(serving)).get().get(60, TimeUnit.SECONDS);
    return host;
  }

  private static PerfOptions options(PerfTest test, int message, int parallel) {
    return new PerfOptions(
        test,
        message,
        Math.max(16, message / 2),
        Duration.ofMillis(400),
        0,
        parallel,
        Duration.ofMillis(100),
        1_000_000);
  }

  private static PerfReport run(
      NodeHost host, PerfOptions options, List<PerfReport.Interval> intervals) throws Exception {
    XiaStack stack = host.stack("host0");
    Xid sid = options.test().onStream() ? PerfServer.STREAM_SID : PerfServer.DGRAM_SID;
    Dag server = host.stack("host1").localAddress().service(sid);
    CompletableFuture<PerfReport> report =
        host.loop().call(() -> PerfClient.run(stack, server, options, intervals::add)).get();
    return report.get(60, TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @EnumSource(PerfTest.class)
  void everyTestMeasuresSomethingAndReportsEachInterval(PerfTest test) throws Exception {
    NodeHost host = start(LinkShape.NONE);
    List<PerfReport.Interval> intervals = new ArrayList<>();
    PerfReport report = run(host, options(test, 1000, 2), intervals);
    assertThat(report.messages()).isPositive();
    assertThat(report.bytes()).isGreaterThanOrEqualTo(1000 * report.messages());
    assertThat(report.mbPerSecond()).isPositive();
    assertThat(report.seconds()).isGreaterThanOrEqualTo(0.4);
    assertThat(intervals).isNotEmpty().isEqualTo(report.intervals());
    assertThat(report.rttUs() != null).isEqualTo(test.asksAndAnswers());
    assertThat(report.datagrams() != null).isEqualTo(!test.onStream());
  }

  @Test
  void theServerCountsEveryByteOfAnUploadThatEndsByItsLength() throws Exception {
    NodeHost host = start(LinkShape.NONE);
    PerfReport report =
        run(host, PerfOptions.stream(Duration.ofSeconds(20), 3_000_001, 2), new ArrayList<>());
    int messages = (3_000_001 + (64 << 10) - 1) / (64 << 10);
    assertThat(report.messages()).isEqualTo(2L * messages);
    assertThat(report.bytes()).isEqualTo(2L * messages * (64 << 10));
    assertThat(report.seconds()).isLessThan(15);
  }

  /** A busy machine may take the loop's time at the end of one measurement, not of each. */
  private static PerfReport datagrams(
      NodeHost host, int message, int parallel, long least, long most) throws Exception {
    List<Long> sent = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      PerfReport report = run(host, options(PerfTest.DGRAM, message, parallel), new ArrayList<>());
      assertThat(report.datagrams()).isNotNull();
      sent.add(report.datagrams().sent());
      if (report.datagrams().sent() >= least && report.datagrams().sent() <= most) {
        return report;
      }
    }
    return org.assertj.core.api.Assertions.fail("sent %s, not %d to %d", sent, least, most);
  }

  @Test
  void datagramsThatTheLinkLosesAreCountedAsLost() throws Exception {
    NodeHost host = start(LinkShape.parse("20%"));
    run(host, options(PerfTest.RR, 64, 1), new ArrayList<>()); // now the hosts know each other
    PerfReport report = datagrams(host, 200, 1, 500, Long.MAX_VALUE);
    assertThat(report.datagrams().lostPercent()).isBetween(10.0, 30.0);
    assertThat(report.datagrams().duplicates()).isZero();
    assertThat(report.messages() + report.datagrams().lost()).isEqualTo(report.datagrams().sent());
  }

  @Test
  void datagramsLeaveAtTheRateThatWasAskedFor() throws Exception {
    NodeHost host = start(LinkShape.NONE);
    datagrams(host, 500, 4, 600, 900); // 1 MB/s for 0.4 s
  }

  @Test
  void aClientThatSaysNoProperHelloIsDroppedAndOthersAreServed() throws Exception {
    NodeHost host = start(LinkShape.NONE);
    Dag server = host.stack("host1").localAddress().service(PerfServer.STREAM_SID);
    try (XiaSockets client = XiaSockets.open("node:" + host.apiSocket("host0"))) {
      BlockingStream stream = client.connect(server, Duration.ofSeconds(5));
      stream.write(ByteBuffer.allocate(PerfHello.LENGTH));
      assertThatThrownBy(() -> stream.read(ByteBuffer.allocate(1)))
          .hasMessageContaining("aborted by the peer");
    }
    assertThat(run(host, options(PerfTest.RR, 64, 1), new ArrayList<>()).messages()).isPositive();
  }

  @Test
  void aHostWithoutServerIsAnErrorAndNotAHang() throws Exception {
    NodeHost host = start(LinkShape.NONE);
    XiaStack stack = host.stack("host0");
    Dag nobody =
        host.stack("host1")
            .localAddress()
            .service(Xid.parse("SID:00000000000000000000000000000000000000ff"));
    CompletableFuture<PerfReport> report =
        host.loop()
            .call(
                () ->
                    PerfClient.run(stack, nobody, options(PerfTest.STREAM, 64, 1), interval -> {}))
            .get();
    assertThatThrownBy(() -> report.get(60, TimeUnit.SECONDS)).hasMessageContaining("SID:");
  }
}
