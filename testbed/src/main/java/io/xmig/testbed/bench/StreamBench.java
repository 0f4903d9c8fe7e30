package io.xmig.testbed.bench;

import io.xmig.testbed.perf.PerfClient;
import io.xmig.testbed.perf.PerfOptions;
import io.xmig.testbed.perf.PerfReport;
import io.xmig.testbed.perf.PerfServer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.XiaSockets;
import java.time.Duration;

/** Goodput of STREAM connections. */
final class StreamBench extends NetworkBench {
  private static final Duration AT_MOST = Duration.ofMinutes(10);

  StreamBench() {
    super("stream", "node - router - node");
  }

  @Override
  Mover open(Chain chain, BenchOptions options) {
    XiaSockets serving = chain.sockets(Chain.RECEIVER);
    XiaSockets sending = chain.sockets(Chain.SENDER);
    PerfServer server = serving.call(PerfServer::start);
    Dag address = serving.localAddress().service(PerfServer.STREAM_SID);
    return new Mover() {
      @Override
      public double move(long bytes, boolean warmUp) {
        PerfOptions wanted =
            PerfOptions.stream(
                AT_MOST, Math.max(1, bytes / options.parallel()), options.parallel());
        PerfReport report =
            sending.call(stack -> PerfClient.run(stack, address, wanted, interval -> {}), AT_MOST);
        return report.bytes() / report.seconds();
      }

      @Override
      public void close() {
        serving.stack().loop().execute(server::close);
      }
    };
  }
}
