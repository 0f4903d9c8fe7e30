package io.xmig.testbed.run;

import io.xmig.control.qemu.EpochMicros;
import io.xmig.testbed.workload.AgentDiary;
import io.xmig.testbed.workload.CalClient;
import io.xmig.testbed.workload.CalServer;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Xping;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.names.NameClient;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** The clients on one host that keep talking to the VM: Xping and Cal on both kinds of socket. */
final class Clients implements AutoCloseable {
  private static final Duration CALL_LIMIT = Duration.ofSeconds(15);
  private static final Duration ASK_AGAIN = Duration.ofMillis(20);
  private static final Duration NAME_ANSWER = Duration.ofSeconds(1);
  private static final int PING_BYTES = 56;
  private static final int HOP_LIMIT = 250;

  private static final int DIARY_TRIES = 5;
  private static final int DIARY_WAIT_MS = 300;

  private final XiaStack stack;
  private final Map<String, Xping> pings = new LinkedHashMap<>();
  private final List<CalClient> cal = new ArrayList<>();
  private long diaryAskedUs;

  Clients(XiaStack stack) {
    this.stack = stack;
  }

  /** Waits until the calculation service of the VM answers; tries again and again. */
  void awaitService(LocalAddress vm, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    Throwable last = null;
    while (System.nanoTime() < deadline) {
      try {
        CalClient probe =
            await(
                () ->
                    CalClient.stream(
                        stack,
                        vm.service(CalServer.STREAM_SID),
                        Duration.ofMillis(50),
                        Duration.ofSeconds(2)));
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        while (System.nanoTime() < until && onLoop(probe::answered) == 0) {
          pause(20);
        }
        boolean answered = onLoop(probe::answered) > 0;
        stack.loop().execute(probe::close);
        if (answered) {
          return;
        }
      } catch (RunException e) {
        last = e.getCause();
        pause(100);
      }
    }
    throw new RunException(
        "the service in the VM does not answer",
        Map.of("vm", vm.host(), "seconds", limit.toSeconds(), "last", String.valueOf(last)));
  }

  /** Starts probing an address, once; the name is how the result calls it. */
  void ping(String name, Dag target, Duration interval) {
    if (pings.values().stream().anyMatch(ping -> ping.target().equals(target))) {
      return;
    }
    int id = (int) (ProcessHandle.current().pid() + pings.size() * 7919L);
    pings.put(
        name, await(() -> Xping.start(stack, target, interval, id, PING_BYTES, HOP_LIMIT, null)));
  }

  /** Whether an address answers; asks again and again. */
  boolean reaches(Dag target, Duration limit) {
    ping(target.toString(), target, ASK_AGAIN);
    long deadline = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < deadline) {
      ProbeLog log = pingLogs().get(target.toString());
      if (log != null && log.answered() > 0) {
        return true;
      }
      pause(ASK_AGAIN.toMillis());
    }
    return false;
  }

  /**
   * Asks the name service until a name leads to an address.
   *
   * @return when it did, microseconds since the epoch
   * @throws RunException if it does not in time, with the last answer
   */
  long awaitName(String name, Dag wanted, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    String last;
    do {
      try {
        Dag found = await(() -> new NameClient(stack).lookup(name, NAME_ANSWER));
        if (found.equals(wanted)) {
          return EpochMicros.now();
        }
        last = found.toString();
      } catch (RunException e) {
        last = String.valueOf(e.getCause());
      }
      pause(10);
    } while (System.nanoTime() < deadline);
    throw new RunException(
        "the name service does not lead to the VM's new address",
        Map.of("name", name, "wanted", wanted, "last", last, "seconds", limit.toSeconds()));
  }

  /** Starts a Cal client on each kind of socket. */
  void ask(LocalAddress vm, Duration interval) {
    cal.add(
        await(
            () ->
                CalClient.stream(
                    stack, vm.service(CalServer.STREAM_SID), interval, Duration.ofSeconds(10))));
    cal.add(await(() -> CalClient.dgram(stack, vm.service(CalServer.DGRAM_SID), interval)));
  }

  /**
   * What the agent of the VM did since it was resumed, on this host's clock; exact to half a round
   * trip. Empty if the VM has no agent or does not tell.
   */
  List<MigrationRecord.Moment> agentEvents(LocalAddress vm, long sinceUs) {
    CompletableFuture<List<MigrationRecord.Moment>> told = new CompletableFuture<>();
    DatagramSocket socket = await(() -> openDiary(sinceUs, told));
    askUntil(told, () -> askDiary(socket, vm, (byte) 0));
    stack.loop().execute(socket::close);
    return told.getNow(List.of());
  }

  /**
   * What the VM has refused, by service and reason, and the memory of its process; empty if it does
   * not tell.
   */
  Map<String, Map<String, Long>> countsOf(LocalAddress vm) {
    CompletableFuture<Map<String, Map<String, Long>>> told = new CompletableFuture<>();
    DatagramSocket socket =
        await(
            () ->
                stack.openDatagram(
                    null,
                    (source, payload, port) -> told.complete(AgentDiary.readCounts(payload))));
    askUntil(told, () -> askDiary(socket, vm, AgentDiary.COUNTS));
    stack.loop().execute(socket::close);
    return told.getNow(Map.of());
  }

  private void askUntil(CompletableFuture<?> told, Runnable ask) {
    for (int i = 0; i < DIARY_TRIES && !told.isDone(); i++) {
      stack.loop().execute(ask);
      for (int waited = 0; waited < DIARY_WAIT_MS && !told.isDone(); waited += 5) {
        pause(5);
      }
    }
  }

  private void askDiary(DatagramSocket socket, LocalAddress vm, byte about) {
    diaryAskedUs = EpochMicros.now();
    try {
      socket.send(vm.service(AgentDiary.SID), ByteBuffer.allocateDirect(1).put(0, about));
    } catch (XiaSocketException e) {
      diaryAskedUs = 0; // no way there at this moment; asked again
    }
  }

  private CompletableFuture<DatagramSocket> openDiary(
      long sinceUs, CompletableFuture<List<MigrationRecord.Moment>> told) {
    return stack.openDatagram(
        null,
        (source, payload, port) -> {
          long nowUs = EpochMicros.now();
          long thereUs = nowUs - (nowUs - diaryAskedUs) / 2; // when it was written
          told.complete(
              AgentDiary.read(payload).stream()
                  .filter(e -> thereUs - e.ageUs() >= sinceUs)
                  .map(e -> new MigrationRecord.Moment("agent: " + e.name(), thereUs - e.ageUs()))
                  .toList());
        });
  }

  /** Stops sending, waits a little for the last answers. */
  void finish(Duration grace) {
    stack
        .loop()
        .execute(
            () -> {
              pings.values().forEach(Xping::stopSending);
              cal.forEach(CalClient::stopAsking);
            });
    pause(grace.toMillis());
  }

  Map<String, ProbeLog> pingLogs() {
    return onLoop(
        () -> {
          Map<String, ProbeLog> logs = new LinkedHashMap<>();
          pings.forEach((name, ping) -> logs.put(name, ping.log()));
          return logs;
        });
  }

  List<CalClient.Outcome> calOutcomes() {
    return onLoop(() -> cal.stream().map(CalClient::outcome).toList());
  }

  /** Runs something on the loop of the stack. */
  <T> T onLoop(Callable<T> call) {
    return await(
        () -> {
          try {
            return CompletableFuture.completedFuture(call.call());
          } catch (Exception e) {
            return CompletableFuture.failedFuture(e);
          }
        });
  }

  /** Starts something on the loop and waits for its completion. */
  <T> T await(Supplier<CompletableFuture<T>> start) {
    CompletableFuture<T> result = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () -> {
              try {
                start
                    .get()
                    .whenComplete(
                        (value, failure) -> {
                          if (failure != null) {
                            result.completeExceptionally(failure);
                          } else {
                            result.complete(value);
                          }
                        });
              } catch (RuntimeException e) {
                result.completeExceptionally(e);
              }
            });
    try {
      return result.get(CALL_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new RunException("XIA", e.getCause());
    } catch (TimeoutException e) {
      throw new RunException(
          "the node does not answer",
          new XiaSocketException(XiaSocketException.Kind.NODE, "no answer within " + CALL_LIMIT));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RunException("interrupted", e);
    }
  }

  static void pause(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RunException("interrupted", e);
    }
  }

  @Override
  public void close() {
    stack
        .loop()
        .execute(
            () -> {
              pings.values().forEach(Xping::close);
              cal.forEach(CalClient::close);
            });
    stack.close();
  }
}
