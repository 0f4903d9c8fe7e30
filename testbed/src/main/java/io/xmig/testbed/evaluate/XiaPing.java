package io.xmig.testbed.evaluate;

import io.xmig.testbed.run.RunException;
import io.xmig.testbed.workload.CalClient;
import io.xmig.testbed.workload.CalServer;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Xping;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.XiaStack;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Clients of the guest over XIA, on one host: Xping always, Cal on demand. */
final class XiaPing implements AutoCloseable {
  private static final int LIMIT_SECONDS = 15;

  private final XiaStack stack;
  private final List<Xping> pings = new ArrayList<>();
  private final List<CalClient> cal = new ArrayList<>();

  /**
   * @param addresses of the guest; an answer from any of them counts
   */
  XiaPing(String spec, List<LocalAddress> addresses, Duration interval) {
    stack = Stacks.open(spec);
    int id = (int) (ProcessHandle.current().pid() & 0x7fff);
    for (LocalAddress address : addresses) {
      int own = id + pings.size() * 7919;
      pings.add(await(() -> Xping.start(stack, address.host(), interval, own, 56, 250, null)));
    }
  }

  private <T> T await(Supplier<CompletableFuture<T>> start) {
    CompletableFuture<T> result = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () ->
                start
                    .get()
                    .whenComplete(
                        (value, failure) -> {
                          if (failure != null) {
                            result.completeExceptionally(failure);
                          } else {
                            result.complete(value);
                          }
                        }));
    try {
      return result.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new RunException("a client of the guest does not start", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RunException("interrupted", e);
    }
  }

  /** Xping in another rhythm from now on. */
  void interval(Duration interval) {
    stack.loop().execute(() -> pings.forEach(ping -> ping.interval(interval)));
  }

  /** What has been seen, of all addresses together. */
  ProbeLog log() {
    return ProbeLog.merged(
        await(() -> CompletableFuture.completedFuture(pings.stream().map(Xping::log).toList())));
  }

  /** Asks the calculation service on both kinds of socket, all the time. */
  void ask(LocalAddress guest, Duration interval) {
    cal.add(
        await(
            () ->
                CalClient.stream(
                    stack, guest.service(CalServer.STREAM_SID), interval, Duration.ofSeconds(10))));
    cal.add(await(() -> CalClient.dgram(stack, guest.service(CalServer.DGRAM_SID), interval)));
  }

  /** Ends that. */
  void stopAsking() {
    List<CalClient> ending = List.copyOf(cal);
    cal.clear();
    stack.loop().execute(() -> ending.forEach(CalClient::close));
  }

  @Override
  public void close() {
    stack.loop().execute(() -> pings.forEach(Xping::close));
    stopAsking();
    stack.close();
  }
}
