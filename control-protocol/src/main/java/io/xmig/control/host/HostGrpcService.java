package io.xmig.control.host;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.xmig.control.host.v1.CancelRequest;
import io.xmig.control.host.v1.CancelResponse;
import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.HostServiceGrpc;
import io.xmig.control.host.v1.ListRequest;
import io.xmig.control.host.v1.ListResponse;
import io.xmig.control.host.v1.MigrateRequest;
import io.xmig.control.host.v1.MigrateResponse;
import io.xmig.control.host.v1.NicAttachment;
import io.xmig.control.host.v1.PrepareReceiveRequest;
import io.xmig.control.host.v1.PrepareReceiveResponse;
import io.xmig.control.host.v1.StartVmRequest;
import io.xmig.control.host.v1.StopRequest;
import io.xmig.control.host.v1.StopResponse;
import io.xmig.control.host.v1.VmInfo;
import io.xmig.control.host.v1.WatchRequest;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.QemuException;
import io.xmig.control.qemu.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The host service's calls.
 *
 * @threading gRPC's
 */
final class HostGrpcService extends HostServiceGrpc.HostServiceImplBase {
  /** Events that a watcher may lag behind before it is dropped. */
  private static final int WATCH_BACKLOG = 4096;

  private static final int WATCH_POLL_MILLIS = 500;

  private final VmHost host;

  HostGrpcService(VmHost host) {
    this.host = host;
  }

  @Override
  public void startVm(StartVmRequest request, StreamObserver<VmInfo> answer) {
    answer(
        answer,
        () -> {
          String name = request.getName();
          Path disk = request.getDisk().isEmpty() ? null : path(request.getDisk());
          VmSpec.Nic nic =
              nic(
                  request.getMac(),
                  request.getHostMtu(),
                  request.hasNic() ? request.getNic() : null,
                  host.config().state().resolve("vms").resolve(name));
          VmSpec spec =
              new VmSpec(
                  name,
                  request.getMemoryMib(),
                  path(request.getKernel()),
                  path(request.getInitrd()),
                  request.getAppend(),
                  disk,
                  size(disk),
                  nic == null ? null : nic.withAnnouncing(!request.getSilentNic()));
          host.start(spec);
          return info(host.info(name));
        });
  }

  private static long size(@Nullable Path disk) {
    try {
      return disk == null ? 0 : Files.size(disk);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read the disk " + disk, e);
    }
  }

  private static Path path(String text) {
    return Path.of(text).toAbsolutePath();
  }

  private VmSpec.@Nullable Nic nic(
      String mac, int hostMtu, @Nullable NicAttachment wish, Path vmDirectory) {
    if (mac.isEmpty()) {
      return null;
    }
    if (wish == null) {
      return host.config().nic(mac, hostMtu, vmDirectory);
    }
    if (!wish.getTap().isEmpty()) {
      return new VmSpec.Nic(mac, hostMtu, null, null, wish.getTap());
    }
    VmSpec.Nic usual = host.config().nic(mac, hostMtu, vmDirectory);
    Path local = wish.getLocal().isEmpty() ? vmDirectory.resolve("nic") : path(wish.getLocal());
    Path remote =
        !wish.getRemote().isEmpty()
            ? path(wish.getRemote())
            : usual == null || usual.remote() == null
                ? vmDirectory.resolve("nic.peer")
                : usual.remote();
    return new VmSpec.Nic(mac, hostMtu, local, remote, null);
  }

  @Override
  public void prepareReceive(
      PrepareReceiveRequest request, StreamObserver<PrepareReceiveResponse> answer) {
    answer(
        answer,
        () -> {
          Path directory = host.config().state().resolve("vms").resolve(request.getName());
          // the guest's own address and MTU come with it
          VmSpec.Nic nic =
              request.hasNic() ? nic("02:00:00:00:00:00", 0, request.getNic(), directory) : null;
          host.expect(
              request.getName(), nic, request.getDisk().isEmpty() ? null : path(request.getDisk()));
          return PrepareReceiveResponse.getDefaultInstance();
        });
  }

  @Override
  public void migrate(MigrateRequest request, StreamObserver<MigrateResponse> answer) {
    answer(
        answer,
        () -> {
          if (request.getTo().isBlank()) {
            throw new IllegalArgumentException("no destination given");
          }
          int target = request.getOutageTargetMs();
          MigrationSettings settings =
              new MigrationSettings(
                  false,
                  target == 0 ? MigrationSettings.DEFAULT_OUTAGE_TARGET_MS : target,
                  request.getDowntimeLimitMs(),
                  request.getMaxBandwidth());
          String id =
              host.migrate(request.getName(), request.getTo(), request.getRamOnly(), settings);
          return MigrateResponse.newBuilder().setMigration(id).build();
        });
  }

  @Override
  public void cancel(CancelRequest request, StreamObserver<CancelResponse> answer) {
    answer(
        answer,
        () -> {
          host.cancel(request.getMigration());
          return CancelResponse.getDefaultInstance();
        });
  }

  @Override
  public void stop(StopRequest request, StreamObserver<StopResponse> answer) {
    answer(
        answer,
        () -> {
          host.stop(request.getName());
          return StopResponse.getDefaultInstance();
        });
  }

  @Override
  public void list(ListRequest request, StreamObserver<ListResponse> answer) {
    answer(
        answer,
        () -> {
          ListResponse.Builder all = ListResponse.newBuilder();
          host.list().forEach(vm -> all.addVms(info(vm)));
          return all.build();
        });
  }

  private VmInfo info(VmHost.Info vm) {
    return VmInfo.newBuilder()
        .setName(vm.spec().name())
        .setState(vm.state())
        .setPid(vm.pid())
        .setSerialLog(vm.files().serialLog().toString())
        .setSerialSocket(vm.files().serialSocket().toString())
        .setAccelerator(host.config().accelerator().accelerator().name())
        .setAcceleratorReason(host.config().accelerator().reason())
        .setMigration(vm.migration())
        .setMemoryMib(vm.spec().memoryMib())
        .build();
  }

  @Override
  public void watch(WatchRequest request, StreamObserver<HostEvent> answer) {
    String migration = request.getMigration();
    if (!migration.isEmpty() && !host.events().knows(migration)) {
      answer.onError(
          Status.NOT_FOUND
              .withDescription("no such migration from or to here: " + migration)
              .asRuntimeException());
      return;
    }
    ServerCallStreamObserver<HostEvent> stream = (ServerCallStreamObserver<HostEvent>) answer;
    BlockingQueue<HostEvent> queue = new LinkedBlockingQueue<>(WATCH_BACKLOG);
    Runnable stop = host.events().watch(migration, queue::offer);
    stream.setOnCancelHandler(stop);
    Thread sender = new Thread(() -> send(stream, queue, stop, migration), "watch-" + migration);
    sender.setDaemon(true);
    sender.start();
  }

  private static void send(
      ServerCallStreamObserver<HostEvent> stream,
      BlockingQueue<HostEvent> queue,
      Runnable stop,
      String migration) {
    try {
      while (!stream.isCancelled()) {
        HostEvent event = queue.poll(WATCH_POLL_MILLIS, TimeUnit.MILLISECONDS);
        if (event == null) {
          continue;
        }
        if (queue.remainingCapacity() == 0) {
          throw Status.RESOURCE_EXHAUSTED.withDescription("reads too slowly").asRuntimeException();
        }
        stream.onNext(event);
        if (!migration.isEmpty() && event.hasResult()) {
          stream.onCompleted();
          return;
        }
      }
    } catch (StatusRuntimeException e) {
      if (!stream.isCancelled()) {
        stream.onError(e);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      stop.run();
    }
  }

  private static <T> void answer(StreamObserver<T> observer, Supplier<T> work) {
    T result;
    try {
      result = work.get();
    } catch (HostException e) {
      Status status =
          switch (e.kind()) {
            case NOT_FOUND -> Status.NOT_FOUND;
            case EXISTS -> Status.ALREADY_EXISTS;
            case BUSY -> Status.FAILED_PRECONDITION;
            case INVALID -> Status.INVALID_ARGUMENT;
            case FAILED -> Status.INTERNAL;
          };
      observer.onError(status.withDescription(e.getMessage()).asRuntimeException());
      return;
    } catch (QemuException e) {
      Status status =
          e.kind() == QemuException.Kind.UNSUPPORTED ? Status.UNIMPLEMENTED : Status.INTERNAL;
      observer.onError(status.withDescription(e.getMessage()).asRuntimeException());
      return;
    } catch (IllegalArgumentException e) {
      observer.onError(
          Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
      return;
    }
    observer.onNext(result);
    observer.onCompleted();
  }
}
