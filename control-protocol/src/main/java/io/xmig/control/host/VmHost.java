package io.xmig.control.host;

import io.xmig.control.host.HandoffRecord.Phase;
import io.xmig.control.host.HandoffRecord.Role;
import io.xmig.control.host.HostException.Kind;
import io.xmig.control.host.v1.Prepare;
import io.xmig.control.host.v1.VmDescription;
import io.xmig.control.qemu.MigrationDriver;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.QemuException;
import io.xmig.control.qemu.QemuProcess;
import io.xmig.control.qemu.VmDirectory;
import io.xmig.control.qemu.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The VMs of one host and their migrations to and from other hosts.
 *
 * @threading any
 */
public final class VmHost implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(VmHost.class);
  private static final long CLOSE_NS = 10_000_000_000L;
  private static final int ENDED_KEPT = 1000;
  private static final long RECOVERY_PAUSE_MILLIS = 1000;

  private final HostConfig config;
  private final HandoffTransport transport;
  private final Pipes pipes;
  private final StateLock lock;
  private final HandoffJournal journal;
  private final HostEvents events = new HostEvents();
  private final ConcurrentMap<String, ManagedVm> vms = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, SourceRun> sources = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, DestinationRun> destinations = new ConcurrentHashMap<>();
  private final Arrivals arrivals;

  /** A Prepare that comes late must not revive these: what was answered is binding. */
  private final Set<String> ended = new LinkedHashSet<>();

  private volatile boolean closed;

  /** What {@link #list} says of a VM. */
  record Info(VmSpec spec, VmDirectory files, String state, long pid, String migration) {}

  /**
   * Takes up what an earlier service of this state directory left, then serves.
   *
   * @throws IOException if the state directory cannot be used, or another service uses it
   */
  public VmHost(HostConfig config, HandoffTransport transport, Pipes pipes) throws IOException {
    this.config = config;
    this.transport = transport;
    this.pipes = pipes;
    this.arrivals = new Arrivals(config);
    this.lock = StateLock.take(config.state());
    this.journal = new HandoffJournal(config.state().resolve("handoffs"));
    Files.createDirectories(config.state().resolve("vms"));
    recover();
    transport.accept(Incoming::new);
  }

  HostEvents events() {
    return events;
  }

  HostConfig config() {
    return config;
  }

  // ---- VMs

  /** Starts a VM. */
  public void start(VmSpec spec) {
    ManagedVm vm = new ManagedVm(spec, directory(spec.name()), events);
    register(vm);
    try {
      launch(vm, false);
    } catch (RuntimeException e) {
      vms.remove(spec.name(), vm);
      throw e;
    }
    events.publish(HostEvents.event("started", spec.name(), "").build());
  }

  private void register(ManagedVm vm) {
    ManagedVm other = vms.putIfAbsent(vm.name(), vm);
    if (other != null) {
      throw new HostException(
          Kind.EXISTS, "a VM of that name is here already", Map.of("vm", vm.name()));
    }
  }

  private void launch(ManagedVm vm, boolean incoming) {
    try {
      vm.saveSpec();
    } catch (IOException e) {
      throw new HostException(
          Kind.FAILED,
          "cannot write the VM's directory",
          Map.of("path", vm.files().path(), "reason", String.valueOf(e.getMessage())),
          e);
    }
    QemuProcess qemu =
        QemuProcess.start(
            vm.spec(),
            vm.files(),
            config.accelerator().accelerator(),
            incoming,
            incoming,
            vm::onEvent);
    vm.use(qemu, this::gone);
  }

  private VmDirectory directory(String name) {
    return new VmDirectory(config.state().resolve("vms").resolve(name));
  }

  private void gone(ManagedVm vm) {
    vms.remove(vm.name(), vm);
    events.publish(HostEvents.event(vm.isEnding() ? "stopped" : "died", vm.name(), "").build());
  }

  /** Ends a VM; one that migrates must be cancelled first. */
  public void stop(String name) {
    ManagedVm vm = find(name);
    HandoffRun run = vm.run();
    if (run instanceof SourceRun && run.isUndecided()) {
      throw new HostException(
          Kind.BUSY, "the VM is migrating; cancel that first", Map.of("migration", run.id()));
    }
    vm.expectEnd();
    QemuProcess qemu = vm.qemu();
    if (qemu != null) {
      qemu.quit();
    }
    vms.remove(name, vm);
  }

  private ManagedVm find(String name) {
    ManagedVm vm = vms.get(name);
    if (vm == null) {
      throw new HostException(
          Kind.NOT_FOUND, "no such VM here", Map.of("vm", name, "here", vms.keySet()));
    }
    return vm;
  }

  /** Every VM of this host. */
  List<Info> list() {
    return vms.values().stream().map(this::info).toList();
  }

  Info info(String name) {
    return info(find(name));
  }

  private Info info(ManagedVm vm) {
    QemuProcess qemu = vm.qemu();
    String state = "starting";
    if (qemu != null) {
      try {
        state = qemu.isAlive() ? new MigrationDriver(qemu.qmp()).runState() : "gone";
      } catch (QemuException e) {
        state = qemu.isAlive() ? "busy" : "gone";
      }
    }
    HandoffRun run = vm.run();
    return new Info(
        vm.spec(), vm.files(), state, qemu == null ? 0 : qemu.pid(), run == null ? "" : run.id());
  }

  // ---- migration away

  /**
   * Starts to move a VM.
   *
   * @param to the other host service
   * @return the migration's id
   */
  public String migrate(String name, String to, boolean ramOnly, MigrationSettings wished) {
    ManagedVm vm = find(name);
    VmSpec spec = vm.spec();
    MigrationSettings settings = wished.withDisk(spec.disk() != null && !ramOnly);
    QemuProcess qemu = vm.qemu();
    if (settings.withDisk() && qemu != null) {
      // said now, not after the destination has started a QEMU in vain
      new MigrationDriver(qemu.qmp()).prepareSource(settings);
    }
    String id = UUID.randomUUID().toString();
    HandoffRecord record = new HandoffRecord(id, Role.SOURCE, Phase.PREPARING, name, to);
    SourceRun run =
        new SourceRun(
            record,
            SourceHandoff.create(id, prepare(spec, settings)),
            vm,
            pipes,
            settings,
            journal,
            events,
            this::over);
    synchronized (vm) {
      HandoffRun before = vm.run();
      if (before != null && before.isUndecided()) {
        throw new HostException(
            Kind.BUSY, "the VM is migrating already", Map.of("migration", before.id()));
      }
      vm.attach(run);
    }
    sources.put(id, run);
    run.execute(() -> run.useLink(transport.open(to, run)));
    run.begin();
    return id;
  }

  private Prepare prepare(VmSpec spec, MigrationSettings settings) {
    VmSpec.Nic nic = spec.nic();
    return Prepare.newBuilder()
        .setWithDisk(settings.withDisk())
        .setVm(
            VmDescription.newBuilder()
                .setName(spec.name())
                .setMemoryMib(spec.memoryMib())
                .setKernel(spec.kernel().toString())
                .setInitrd(spec.initrd().toString())
                .setAppend(spec.append())
                .setDiskBytes(spec.diskBytes())
                .setDiskImage(spec.disk() == null ? "" : spec.disk().toString())
                .setMac(nic == null ? "" : nic.mac())
                .setHostMtu(nic == null ? 0 : nic.hostMtu())
                .setSilentNic(nic != null && !nic.announcing())
                .setAccelerator(config.accelerator().accelerator().name()))
        .build();
  }

  /** Asks a migration to leave the VM where it is. */
  public void cancel(String migration) {
    SourceRun run = sources.get(migration);
    if (run == null) {
      throw new HostException(
          Kind.NOT_FOUND,
          events.knows(migration) ? "that migration is over" : "no such migration from here",
          Map.of("migration", migration));
    }
    run.cancel("cancelled by request");
  }

  private void over(SourceRun run) {
    sources.remove(run.id(), run);
    run.closeLink();
    run.dispose();
  }

  // ---- migration to here

  /** Says how an expected VM is attached here. */
  public void expect(String name, VmSpec.@Nullable Nic nic, @Nullable Path disk) {
    arrivals.expect(name, nic, disk);
  }

  private ManagedVm startIncoming(DestinationRun run, Prepare prepare) {
    VmDescription wanted = prepare.getVm();
    VmDirectory files = directory(Arrivals.checkName(wanted.getName()));
    VmSpec spec = arrivals.spec(prepare, files);
    ManagedVm vm = new ManagedVm(spec, files, events);
    register(vm);
    try {
      if (spec.disk() != null && prepare.getWithDisk()) {
        Arrivals.makeEmptyDisk(spec.disk(), spec.diskBytes());
      }
      vm.attach(run);
      launch(vm, true);
    } catch (RuntimeException e) {
      vms.remove(spec.name(), vm);
      throw e;
    }
    return vm;
  }

  private void over(DestinationRun run) {
    synchronized (destinations) {
      ended.add(run.id());
      if (ended.size() > ENDED_KEPT) {
        ended.remove(ended.iterator().next());
      }
      destinations.remove(run.id(), run);
    }
    ManagedVm vm = vms.get(run.vm());
    if (vm != null && vm.run() == run) {
      vm.attach(null);
    }
    run.dispose();
  }

  /** Messages of one incoming connection. */
  private final class Incoming implements HandoffTransport.Listener {
    private final HandoffTransport.Link link;

    Incoming(HandoffTransport.Link link) {
      this.link = link;
    }

    @Override
    public void up() {
      // the first message tells whose connection this is
    }

    @Override
    public void down(boolean peerIsGone) {
      for (DestinationRun run : destinations.values()) {
        if (run.link() == link) {
          run.down(peerIsGone);
        }
      }
    }

    @Override
    public void received(io.xmig.control.host.v1.HandoffMessage message) {
      String id = message.getHandoff();
      if (!HandoffJournal.isId(id)) {
        log.warn("message about a hand-off without a proper id, connection closed");
        link.close();
        return;
      }
      synchronized (destinations) {
        DestinationRun run = destinations.get(id);
        if (run == null) {
          if (sources.containsKey(id)) {
            Strangers.refusal(message, "source and destination are the same host")
                .ifPresent(link::send);
          } else if (journal.holds(id)) {
            // it is not forgotten, so silence is the only true answer until it was taken up
            log.warn("hand-off {} is in the journal but was not taken up yet", id);
          } else if (message.hasPrepare() && !ended.contains(id)) {
            receive(message.getPrepare(), id);
          } else {
            Strangers.answer(message).ifPresent(link::send);
          }
          return;
        }
        if (!run.record().peer().equals(link.identity())) {
          log.warn("hand-off {} is not of host {}, connection closed", id, link.identity());
          link.close();
          return;
        }
        HandoffTransport.Link before = run.link();
        if (before != link) {
          if (before != null) {
            // an older connection has nothing to say any more
            before.close();
            run.down(true);
          }
          run.execute(() -> run.useLink(link));
          run.up();
        }
        run.received(message);
      }
    }

    private void receive(Prepare prepare, String id) {
      HandoffRecord record =
          new HandoffRecord(
              id, Role.DESTINATION, Phase.PREPARED, prepare.getVm().getName(), link.identity());
      DestinationRun run =
          new DestinationRun(
              record,
              DestinationHandoff.create(id),
              pipes,
              VmHost.this::startIncoming,
              journal,
              events,
              VmHost.this::over);
      destinations.put(id, run);
      run.useLink(link);
      run.begin(prepare);
    }
  }

  // ---- after a crash

  private void recover() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> list = Files.list(config.state().resolve("vms"))) {
      list.filter(Files::isDirectory).forEach(path -> names.add(path.getFileName().toString()));
    }
    Map<String, List<HandoffRecord>> records =
        journal.all().stream().collect(Collectors.groupingBy(HandoffRecord::vm));
    names.addAll(records.keySet());
    for (String name : names) {
      Recovery recovery = new Recovery(name, records.getOrDefault(name, List.of()));
      if (!recovery.attempt()) {
        recovery.keepTrying();
      }
    }
  }

  /**
   * Takes up one VM and its hand-offs. Nothing is done on their account before its QEMU is either
   * under control or known to be gone: one that does not answer is not a dead one.
   */
  private final class Recovery {
    private final String name;
    private final List<HandoffRecord> records;
    private final VmDirectory files;

    Recovery(String name, List<HandoffRecord> records) {
      this.name = name;
      this.records = records;
      this.files = directory(name);
    }

    /** Whether that is done. */
    boolean attempt() {
      ManagedVm vm = ManagedVm.readSpec(files).map(this::managed).orElse(null);
      if (vm != null) {
        try {
          adopt(vm);
        } catch (QemuException e) {
          log.error("VM {} is there but cannot be controlled yet: {}", name, e.getMessage());
          unblock();
          return false;
        }
      }
      records.forEach(record -> takeUp(record, vm));
      return true;
    }

    private ManagedVm managed(VmSpec spec) {
      return new ManagedVm(spec, files, events);
    }

    private void adopt(ManagedVm vm) {
      QemuProcess.adopt(name, files, vm::onEvent)
          .ifPresent(
              qemu -> {
                vms.put(name, vm);
                vm.use(qemu, VmHost.this::gone);
                log.info("found VM {} running, process {}", name, qemu.pid());
              });
    }

    /** A QEMU may be waiting for a pipe that does not read; this transfer is given up anyway. */
    private void unblock() {
      for (HandoffRecord record : records) {
        if (record.role() == Role.SOURCE && record.phase() != Phase.COMMITTING) {
          pipes.sender(files.path(), record.handoff()).kill();
        }
      }
    }

    void keepTrying() {
      Thread thread =
          new Thread(
              () -> {
                try {
                  do {
                    Thread.sleep(RECOVERY_PAUSE_MILLIS);
                  } while (!closed && !attempt());
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              },
              "recover-" + name);
      thread.setDaemon(true);
      thread.start();
    }

    private void takeUp(HandoffRecord record, @Nullable ManagedVm vm) {
      log.info("taking up hand-off {} of {}, {}", record.handoff(), name, record.phase());
      if (record.role() == Role.SOURCE) {
        takeUpSource(record, vm);
      } else {
        takeUpDestination(record, vm);
      }
    }

    private void takeUpSource(HandoffRecord record, @Nullable ManagedVm vm) {
      if (vm == null) {
        log.error("hand-off {} of {}: its description is gone", record.handoff(), name);
        return;
      }
      SourceRun run =
          new SourceRun(
              record,
              SourceHandoff.recover(record),
              vm,
              pipes,
              MigrationSettings.usual(false),
              journal,
              events,
              VmHost.this::over);
      attach(vm, run);
      sources.put(record.handoff(), run);
      run.resume();
      run.execute(() -> run.useLink(transport.open(record.peer(), run)));
    }

    private void takeUpDestination(HandoffRecord record, @Nullable ManagedVm vm) {
      DestinationRun run =
          new DestinationRun(
              record,
              DestinationHandoff.recover(record),
              pipes,
              VmHost.this::startIncoming,
              journal,
              events,
              VmHost.this::over);
      if (vm != null) {
        attach(vm, run);
      }
      run.resume(vm);
      destinations.put(record.handoff(), run);
    }

    /** Of several hand-offs of one VM QEMU concerns the one that may still have to act on it. */
    private static void attach(ManagedVm vm, HandoffRun run) {
      if (vm.run() == null || run.record().phase().governsGuest()) {
        vm.attach(run);
      }
    }
  }

  /** Cancels what is under way and ends every VM. */
  public void stopAll() {
    sources.values().forEach(run -> run.cancel("the host service ends"));
    long end = System.nanoTime() + CLOSE_NS;
    while (sources.values().stream().anyMatch(HandoffRun::isUndecided) && System.nanoTime() < end) {
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    for (ManagedVm vm : vms.values()) {
      vm.expectEnd();
      QemuProcess qemu = vm.qemu();
      if (qemu != null) {
        qemu.quit();
      }
    }
  }

  /**
   * Ends the service and leaves the VMs running; the next one of this state directory gets them.
   */
  @Override
  public void close() {
    closed = true;
    sources.values().forEach(HandoffRun::dispose);
    destinations.values().forEach(HandoffRun::dispose);
    transport.close();
    for (ManagedVm vm : vms.values()) {
      QemuProcess qemu = vm.qemu();
      if (qemu != null) {
        qemu.close();
      }
    }
    lock.close();
  }
}
