package io.xmig.testbed.bench;

import io.xmig.testbed.perf.PerfClient;
import io.xmig.testbed.perf.PerfOptions;
import io.xmig.testbed.perf.PerfServer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.XiaStack;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Goodput of STREAM connections. */
final class StreamBench extends NetworkBench {
  private static final Duration AT_MOST = Duration.ofMinutes(10);

  StreamBench() {
    super("stream", "node - router - node");
  }

  @Override
  Mover open(Chain chain, BenchOptions options) throws Exception {
    XiaStack serving = chain.stack(Chain.RECEIVER);
    XiaStack sending = chain.stack(Chain.SENDER);
    PerfServer server = Loops.call(serving, () -> PerfServer.start(serving));
    Dag address =
        Loops.call(
            serving,
            () ->
                CompletableFuture.completedFuture(
                    serving.localAddress().service(PerfServer.STREAM_SID)));
    return new Mover() {
      @Override
      public double move(long bytes, boolean warmUp) throws Exception {
        PerfOptions wanted =
            PerfOptions.stream(
                AT_MOST, Math.max(1, bytes / options.parallel()), options.parallel());
        var report =
            Loops.call(sending, () -> PerfClient.run(sending, address, wanted, interval -> {}));
        return report.bytes() / report.seconds();
      }

      @Override
      public void close() {
        serving.loop().execute(server::close);
      }
    };
  }
}
