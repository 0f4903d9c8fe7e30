package io.xmig.control.host;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.control.qemu.QemuProcess;
import io.xmig.control.qemu.QmpEvent;
import io.xmig.control.qemu.VmDirectory;
import io.xmig.control.qemu.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A VM of this host: what it is, where its files are, and its QEMU.
 *
 * @threading any
 */
final class ManagedVm {
  private static final Logger log = LoggerFactory.getLogger(ManagedVm.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SPEC_FILE = "vm.json";

  private final VmSpec spec;
  private final VmDirectory files;
  private final HostEvents events;
  private volatile @Nullable QemuProcess qemu;
  private volatile @Nullable HandoffRun run;
  private volatile boolean ending;

  ManagedVm(VmSpec spec, VmDirectory files, HostEvents events) {
    this.spec = spec;
    this.files = files;
    this.events = events;
  }

  String name() {
    return spec.name();
  }

  VmSpec spec() {
    return spec;
  }

  VmDirectory files() {
    return files;
  }

  @Nullable QemuProcess qemu() {
    return qemu;
  }

  /** The hand-off that this VM is part of, or {@code null}. */
  @Nullable HandoffRun run() {
    return run;
  }

  /** From now on QEMU's events concern this hand-off, or none. */
  void attach(@Nullable HandoffRun newRun) {
    run = newRun;
  }

  /** Remembers the process and watches for its end. */
  void use(QemuProcess process, Consumer<ManagedVm> onGone) {
    qemu = process;
    process
        .onExit()
        .thenRun(
            () -> {
              HandoffRun current = run;
              if (current != null) {
                current.qemuDied();
              }
              onGone.accept(this);
            });
  }

  /** Tells that the end of QEMU, should it come, is wanted. */
  void expectEnd() {
    ending = true;
  }

  boolean isEnding() {
    return ending;
  }

  /** QEMU's events, on the thread of its control connection. */
  void onEvent(QmpEvent event) {
    HandoffRun current = run;
    if (current != null) {
      current.qmpEvent(event);
    }
    String name =
        switch (event.name()) {
          case "STOP" -> "stop";
          case "RESUME" -> "resume";
          case "SHUTDOWN" -> "shutdown";
          default -> "";
        };
    if (!name.isEmpty()) {
      String migration = current == null ? "" : current.id();
      events.publish(
          HostEvents.at(event.time(), name, name(), migration)
              .setDetail(event.text("reason"))
              .build());
    }
  }

  /** Writes the description beside the VM's sockets, for a service that is restarted. */
  void saveSpec() throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", spec.name());
    fields.put("memoryMib", spec.memoryMib());
    fields.put("kernel", spec.kernel().toString());
    fields.put("initrd", spec.initrd().toString());
    fields.put("append", spec.append());
    fields.put("disk", spec.disk() == null ? "" : spec.disk().toString());
    fields.put("diskBytes", spec.diskBytes());
    VmSpec.Nic nic = spec.nic();
    if (nic != null) {
      fields.put("mac", nic.mac());
      fields.put("hostMtu", nic.hostMtu());
      fields.put("announcing", nic.announcing());
      fields.put("nicLocal", nic.local() == null ? "" : nic.local().toString());
      fields.put("nicRemote", nic.remote() == null ? "" : nic.remote().toString());
      fields.put("nicTap", nic.tap() == null ? "" : nic.tap());
    }
    Files.createDirectories(files.path());
    Files.write(files.path().resolve(SPEC_FILE), JSON.writeValueAsBytes(fields));
  }

  /** Reads what {@link #saveSpec} wrote. */
  static Optional<VmSpec> readSpec(VmDirectory files) {
    Path file = files.path().resolve(SPEC_FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      var node = JSON.readTree(file.toFile());
      String disk = node.path("disk").asText();
      VmSpec.Nic nic = null;
      if (node.has("mac")) {
        String tap = node.path("nicTap").asText();
        String local = node.path("nicLocal").asText();
        String remote = node.path("nicRemote").asText();
        nic =
            new VmSpec.Nic(
                node.path("mac").asText(),
                node.path("hostMtu").asInt(),
                local.isEmpty() ? null : Path.of(local),
                remote.isEmpty() ? null : Path.of(remote),
                tap.isEmpty() ? null : tap,
                node.path("announcing").asBoolean(true));
      }
      return Optional.of(
          new VmSpec(
              node.path("name").asText(),
              node.path("memoryMib").asInt(),
              Path.of(node.path("kernel").asText()),
              Path.of(node.path("initrd").asText()),
              node.path("append").asText(),
              disk.isEmpty() ? null : Path.of(disk),
              node.path("diskBytes").asLong(),
              nic));
    } catch (IOException | IllegalArgumentException e) {
      log.error("unreadable VM description {}: {}", file, e.getMessage());
      return Optional.empty();
    }
  }
}
