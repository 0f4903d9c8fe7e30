package io.xmig.testbed.run;

import io.grpc.StatusRuntimeException;
import io.xmig.control.host.HostClient;
import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.ListRequest;
import io.xmig.control.host.v1.MigrateRequest;
import io.xmig.control.host.v1.Progress;
import io.xmig.control.host.v1.Result;
import io.xmig.control.host.v1.StartVmRequest;
import io.xmig.control.host.v1.StopRequest;
import io.xmig.control.host.v1.VmInfo;
import io.xmig.control.qemu.EpochMicros;
import io.xmig.control.qemu.MigrationLimits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The host services of a run as their client. */
final class Hypervisors implements AutoCloseable {
  private static final long SETTLE_NS = TimeUnit.SECONDS.toNanos(5);

  private final Map<String, HostClient> clients = new LinkedHashMap<>();
  private final Map<String, HostWatch> watches = new LinkedHashMap<>();
  private final Map<String, Path> states = new LinkedHashMap<>();

  /** Joins the service of a host that keeps its state in this directory. */
  void join(String host, Path state) {
    HostClient client = HostClient.onSocket(state.resolve("host.sock"));
    clients.put(host, client);
    states.put(host, state);
    watches.put(host, new HostWatch(host, client));
  }

  VmInfo start(String host, StartVmRequest request) {
    return call("start the VM on " + host, () -> client(host).calls().startVm(request));
  }

  /** What the service of a host says of a VM; {@code gone} if it knows none of that name. */
  String state(String host, String vm) {
    return call(
        "list the VMs of " + host,
        () ->
            client(host).calls().list(ListRequest.getDefaultInstance()).getVmsList().stream()
                .filter(info -> info.getName().equals(vm))
                .map(VmInfo::getState)
                .findFirst()
                .orElse("gone"));
  }

  void stop(String host, String vm) {
    call(
        "stop the VM on " + host,
        () -> client(host).calls().stop(StopRequest.newBuilder().setName(vm).build()));
  }

  private HostClient client(String host) {
    HostClient client = clients.get(host);
    if (client == null) {
      throw new IllegalArgumentException("no host service on " + host);
    }
    return client;
  }

  /** A call to a host service. */
  @FunctionalInterface
  private interface Call<T> {
    T run();
  }

  private static <T> T call(String what, Call<T> call) {
    try {
      return call.run();
    } catch (StatusRuntimeException e) {
      String said = e.getStatus().getDescription();
      throw new RunException(
          "cannot " + what, Map.of("said", said == null ? e.getStatus().toString() : said));
    }
  }

  /** A migration that has ended; {@link #record} tells about it. */
  record Moved(String vm, String from, String to, String id, long requestedUs, Result result) {}

  /**
   * Moves a VM and waits until it runs at the destination. Reads nothing more: at that moment the
   * machine has better things to do.
   *
   * @param toAddress DAG of the destination host
   * @param progress called with the time (microseconds since the epoch) and QEMU's progress
   */
  Moved migrate(
      String vm,
      String from,
      String to,
      String toAddress,
      MigrateRequest.Builder wishes,
      Duration limit,
      BiConsumer<Long, Progress> progress) {
    long requestedUs = EpochMicros.now();
    String id =
        call(
            "migrate the VM from " + from,
            () ->
                client(from)
                    .calls()
                    .migrate(wishes.setName(vm).setTo(toAddress).build())
                    .getMigration());
    Result result = await(from, id, limit, progress);
    if (result.getOutcome() != Result.Outcome.OUTCOME_MOVED) {
      throw new RunException(
          "the VM did not move", Map.of("from", from, "to", to, "reason", result.getReason()));
    }
    return new Moved(vm, from, to, id, requestedUs, result);
  }

  private Result await(
      String from, String id, Duration limit, BiConsumer<Long, Progress> progress) {
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      Iterator<HostEvent> events = client(from).watch(id);
      while (events.hasNext()) {
        HostEvent event = events.next();
        if (event.hasProgress()) {
          progress.accept(event.getTimeMicros(), event.getProgress());
        }
        if (event.hasResult()) {
          return event.getResult();
        }
        if (System.nanoTime() > deadline) {
          throw new RunException(
              "the migration takes too long", Map.of("seconds", limit.toSeconds()));
        }
      }
    } catch (StatusRuntimeException e) {
      throw new RunException("the host service of " + from + " is gone", e);
    }
    throw new RunException("the migration ended without a result", Map.of("migration", id));
  }

  private @Nullable HostEvent awaitEvent(String host, String id, String name) {
    long deadline = System.nanoTime() + SETTLE_NS;
    do {
      for (HostEvent event : watch(host).of(id)) {
        if (event.getName().equals(name)) {
          return event;
        }
      }
      Clients.pause(10);
    } while (System.nanoTime() < deadline);
    return null;
  }

  private HostWatch watch(String host) {
    HostWatch watch = watches.get(host);
    if (watch == null) {
      throw new IllegalArgumentException("no host service on " + host);
    }
    return watch;
  }

  /** What was observed of a migration. */
  MigrationRecord record(Moved moved) throws IOException {
    String vm = moved.vm();
    String from = moved.from();
    String to = moved.to();
    String id = moved.id();
    awaitEvent(to, id, "resume");
    List<MigrationRecord.Moment> moments = new ArrayList<>();
    long stopUs = collect(from, id, "stop", moments);
    long resumeUs = collect(to, id, "resume", moments);
    PipeStatus received = pipe(to, vm, "receive", id);
    PipeStatus sent = pipe(from, vm, "send", id);
    received
        .events()
        .forEach(e -> moments.add(new MigrationRecord.Moment("receive: " + e.name(), e.atUs())));
    sent.events()
        .forEach(e -> moments.add(new MigrationRecord.Moment("send: " + e.name(), e.atUs())));
    return new MigrationRecord(
        from,
        to,
        moved.requestedUs(),
        resumeUs > 0 ? resumeUs : EpochMicros.now(),
        stopUs,
        resumeUs,
        (double) moved.result().getQemuDowntimeMs(),
        new MigrationLimits.Limits(
            moved.result().getMaxBandwidth(), moved.result().getDowntimeLimitMs()),
        received.streamBytes(),
        Math.max(received.chunkBytes(), sent.chunkBytes()),
        0,
        received.sha256(),
        moments,
        received.progress());
  }

  /** Adds all events but progress of a host, returns the time of the last one of the given name. */
  private long collect(String host, String id, String wanted, List<MigrationRecord.Moment> into) {
    long at = 0;
    for (HostEvent event : watch(host).of(id)) {
      if (event.getName().equals("progress")) {
        continue;
      }
      if (event.getName().equals(wanted)) {
        at = event.getTimeMicros();
      }
      String detail =
          event.getName().equals("send") || event.getName().equals("received")
              ? " " + event.getDetail()
              : "";
      into.add(
          new MigrationRecord.Moment(
              host + ": " + event.getName() + detail, event.getTimeMicros()));
    }
    return at;
  }

  private PipeStatus pipe(String host, String vm, String command, String id) throws IOException {
    Path state = states.get(host);
    if (state == null) {
      throw new IllegalArgumentException("no host service on " + host);
    }
    return PipeStatus.read(state.resolve("vms").resolve(vm).resolve(command + "-" + id + ".jsonl"));
  }

  @Override
  public void close() {
    clients.values().forEach(HostClient::close);
  }
}
