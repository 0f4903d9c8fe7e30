package io.xmig.control.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/**
 * What {@code query-migrate} says.
 *
 * @param status where QEMU is
 * @param error QEMU's reason for a failure, else ""
 * @param transferredBytes RAM bytes written to the pipe
 * @param remainingBytes RAM bytes still dirty
 * @param totalBytes guest RAM
 * @param diskTransferredBytes disk bytes written; QEMU forgets them once completed
 * @param diskTotalBytes size of the disks sent; 0 without
 * @param dirtyPagesPerSecond rate at which the guest dirties pages
 * @param passes passes over memory so far
 * @param bytesPerSecond throughput as QEMU measures it
 * @param expectedDowntimeMs as QEMU estimates it while active
 * @param downtimeMs as QEMU measured it; 0 before the end
 * @param totalTimeMs since the start; final value only once completed
 * @param setupTimeMs preparation
 */
public record MigrationProgress(
    Status status,
    String error,
    long transferredBytes,
    long remainingBytes,
    long totalBytes,
    long diskTransferredBytes,
    long diskTotalBytes,
    long dirtyPagesPerSecond,
    long passes,
    long bytesPerSecond,
    long expectedDowntimeMs,
    long downtimeMs,
    long totalTimeMs,
    long setupTimeMs) {

  /** QEMU's states, with those that differ only inside QEMU taken together. */
  public enum Status {
    /** Never migrated. */
    NONE,
    /** Preparing. */
    SETUP,
    /** Sending or loading. */
    ACTIVE,
    /** The cancel has not taken effect; it cannot while a pipe blocks QEMU. */
    CANCELLING,
    /** Cancelled; the guest runs. */
    CANCELLED,
    /** Failed; the guest runs on the source, the destination process ends. */
    FAILED,
    /** Everything written (source) or loaded (destination). */
    COMPLETED;

    static Status of(String text) {
      return switch (text) {
        case "", "none" -> NONE;
        case "setup" -> SETUP;
        case "cancelling" -> CANCELLING;
        case "cancelled" -> CANCELLED;
        case "failed" -> FAILED;
        case "completed" -> COMPLETED;
        // active, device, pre-switchover, postcopy-…, wait-unplug, colo
        default -> ACTIVE;
      };
    }

    /** Whether nothing further will happen by itself. */
    public boolean isFinal() {
      return this == COMPLETED || this == FAILED || this == CANCELLED;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static MigrationProgress of(JsonNode answer) {
    JsonNode ram = answer.path("ram");
    JsonNode disk = answer.path("disk");
    long dirtyBytes = ram.path("page-size").asLong(4096);
    return new MigrationProgress(
        Status.of(answer.path("status").asText()),
        answer.path("error-desc").asText(""),
        ram.path("transferred").asLong(),
        ram.path("remaining").asLong(),
        ram.path("total").asLong(),
        disk.path("transferred").asLong(),
        disk.path("total").asLong(),
        dirtyBytes > 0 ? ram.path("dirty-pages-rate").asLong() : 0,
        ram.path("dirty-sync-count").asLong(),
        (long) (ram.path("mbps").asDouble() * 1e6 / 8),
        answer.path("expected-downtime").asLong(),
        answer.path("downtime").asLong(),
        answer.path("total-time").asLong(),
        answer.path("setup-time").asLong());
  }
}
