package io.xmig.testbed.run;

import io.xmig.control.qemu.MigrationLimits;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was observed of one migration, times in microseconds since the epoch.
 *
 * @param from host it left
 * @param to host it went to
 * @param requestedUs when it was asked for
 * @param runningUs when the VM ran at the destination
 * @param stopUs when the source's QEMU stopped the guest, 0 if not seen
 * @param resumeUs when the destination's QEMU ran it, 0 if not seen
 * @param qemuDowntimeMs as QEMU reports it
 * @param limits of QEMU at the end
 * @param streamBytes bytes of the migration stream
 * @param chunkBytes bytes handed over in chunks
 * @param wireBytes bytes of frames into the destination host meanwhile
 * @param sha256 digest of the stream in hex, as verified by the destination
 * @param events named moments
 * @param progress bytes written to the destination over time
 */
public record MigrationRecord(
    String from,
    String to,
    long requestedUs,
    long runningUs,
    long stopUs,
    long resumeUs,
    @Nullable Double qemuDowntimeMs,
    MigrationLimits.Limits limits,
    long streamBytes,
    long chunkBytes,
    long wireBytes,
    String sha256,
    List<Moment> events,
    List<Progress> progress) {
  /** The same with the bytes that came over the wire. */
  MigrationRecord withWireBytes(long bytes) {
    return new MigrationRecord(
        from,
        to,
        requestedUs,
        runningUs,
        stopUs,
        resumeUs,
        qemuDowntimeMs,
        limits,
        streamBytes,
        chunkBytes,
        bytes,
        sha256,
        events,
        progress);
  }

  /** The same with one more moment. */
  MigrationRecord withMoment(String name, long atUs) {
    return withMoments(List.of(new Moment(name, atUs)));
  }

  /** The same with more moments. */
  MigrationRecord withMoments(List<Moment> added) {
    List<Moment> more = new ArrayList<>(events);
    more.addAll(added);
    return new MigrationRecord(
        from,
        to,
        requestedUs,
        runningUs,
        stopUs,
        resumeUs,
        qemuDowntimeMs,
        limits,
        streamBytes,
        chunkBytes,
        wireBytes,
        sha256,
        more,
        progress);
  }

  /** A named moment. */
  public record Moment(String name, long atUs) {}

  /** How many bytes had been written to the destination's QEMU at a moment. */
  public record Progress(long atUs, long bytes) {}
}
