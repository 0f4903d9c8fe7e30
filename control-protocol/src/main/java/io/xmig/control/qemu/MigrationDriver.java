package io.xmig.control.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xmig.control.qemu.QemuException.Kind;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The QMP commands of a migration, for the source and for the destination QEMU.
 *
 * <pre>
 * source       capabilities events (+ zero-blocks), parameters, migrate URI … completed | failed | cancelled
 * destination  capabilities events, migrate-incoming URI … completed (paused, started with -S), cont
 * </pre>
 *
 * @threading any; every call waits for QEMU's answer
 * @source docs/handoff.md
 */
public final class MigrationDriver {
  /** QEMU's main thread may be busy for long with a full pipe or a large guest. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  /** Totals are filled in a moment after the status says completed. */
  private static final int TOTALS_TRIES = 100;

  private static final int TOTALS_PAUSE_MILLIS = 10;

  /** First QEMU without block migration in the stream. */
  private static final int NO_BLOCK_MIGRATION = 901;

  private static final String SET_PARAMETERS = "migrate-set-parameters";

  private final QmpClient qmp;

  public MigrationDriver(QmpClient qmp) {
    this.qmp = qmp;
  }

  /** The migration capabilities that this QEMU knows. */
  public Set<String> capabilities() {
    Set<String> names = new HashSet<>();
    for (JsonNode capability : qmp.call("query-migrate-capabilities", null, LIMIT)) {
      names.add(capability.path("capability").asText());
    }
    return names;
  }

  /** Whether the disk can travel in the migration stream; QEMU 9.1 dropped that. */
  public boolean canSendDisk() {
    return capabilities().contains("zero-blocks")
        && (qmp.version() == 0 || qmp.version() < NO_BLOCK_MIGRATION);
  }

  /**
   * Sets up the source; the guest runs on.
   *
   * @throws QemuException {@link Kind#UNSUPPORTED} if the disk cannot travel with this QEMU
   */
  public void prepareSource(MigrationSettings settings) {
    Map<String, Boolean> states = new LinkedHashMap<>();
    states.put("events", true);
    Set<String> known = capabilities();
    if (settings.withDisk()) {
      if (!canSendDisk()) {
        throw new QemuException(
            Kind.UNSUPPORTED,
            "this QEMU has no block migration (removed in 9.1): migrate with --ram-only over shared"
                + " storage, or use QEMU 9.0 or older",
            Map.of("version", qmp.version() / 100 + "." + qmp.version() % 100));
      }
      // else all of a sparse disk crosses the network
      states.put("zero-blocks", true);
    } else if (known.contains("zero-blocks")) {
      states.put("zero-blocks", false);
    }
    setCapabilities(states);
    qmp.call(SET_PARAMETERS, parameters(MigrationLimits.first(settings)), LIMIT);
  }

  /** Starts sending; returns at once. May be called again after a failed or cancelled migration. */
  public void migrate(String uri, boolean withDisk) {
    ObjectNode arguments = QmpClient.arguments().put("uri", uri);
    if (withDisk) {
      arguments.put("blk", true);
    }
    qmp.call("migrate", arguments, LIMIT);
  }

  /** Sets up the destination and starts loading from {@code uri}; returns at once. */
  public void receive(String uri) {
    setCapabilities(Map.of("events", true));
    qmp.call("migrate-incoming", QmpClient.arguments().put("uri", uri), LIMIT);
  }

  private void setCapabilities(Map<String, Boolean> states) {
    ObjectNode arguments = QmpClient.arguments();
    ArrayNode list = arguments.putArray("capabilities");
    states.forEach((name, state) -> list.addObject().put("capability", name).put("state", state));
    qmp.call("migrate-set-capabilities", arguments, LIMIT);
  }

  /**
   * Changes the limits of a running migration. Nobody should wait for the answer: while QEMU writes
   * the last bytes, with the guest stopped, it gives none.
   *
   * @return fails with a {@link QemuException} if QEMU does not take them
   */
  public CompletableFuture<JsonNode> limit(MigrationLimits.Limits limits) {
    return qmp.send(SET_PARAMETERS, parameters(limits));
  }

  private static ObjectNode parameters(MigrationLimits.Limits limits) {
    return QmpClient.arguments()
        .put("max-bandwidth", limits.maxBandwidth())
        .put("downtime-limit", limits.downtimeLimitMs());
  }

  /** How far the migration is. */
  public MigrationProgress progress() {
    return MigrationProgress.of(qmp.call("query-migrate", null, LIMIT));
  }

  /**
   * The final numbers of a completed source migration, which QEMU fills in a moment after it says
   * completed.
   */
  public MigrationProgress totals() throws InterruptedException {
    MigrationProgress progress = progress();
    for (int i = 0;
        i < TOTALS_TRIES
            && progress.status() == MigrationProgress.Status.COMPLETED
            && progress.totalTimeMs() == 0;
        i++) {
      Thread.sleep(TOTALS_PAUSE_MILLIS);
      progress = progress();
    }
    return progress;
  }

  /**
   * Asks the source to give up. While QEMU is blocked by a pipe that does not read, nothing happens
   * until that pipe is killed too ({@link MigrationPipe#kill}).
   */
  public void cancel() {
    qmp.call("migrate_cancel", null, LIMIT);
  }

  /**
   * Lets the guest run. On a source whose migration has completed this makes a second living guest:
   * only who knows that the other one will never run may call it.
   */
  public void run() {
    qmp.call("cont", null, LIMIT);
  }

  /** Stops the guest. */
  public void stop() {
    qmp.call("stop", null, LIMIT);
  }

  /**
   * QEMU's run state, e.g. {@code running}, {@code paused}, {@code inmigrate}, {@code postmigrate}.
   */
  public String runState() {
    return qmp.call("query-status", null, LIMIT).path("status").asText();
  }
}
