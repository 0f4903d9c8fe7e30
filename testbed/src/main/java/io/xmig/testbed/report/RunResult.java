package io.xmig.testbed.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything one run measured; {@code result.json} is this record and {@code
 * docs/result.schema.json} its schema. Times ending in {@code AtMs} are milliseconds since {@link
 * #startedAt}.
 *
 * @param schema name and version of the format
 * @param startedAt ISO 8601 instant
 * @param durationMs the whole run, set-up and tear-down included
 * @param scenario what was asked for
 * @param machine what it ran on
 * @param migrations one per migration, in order
 * @param cal what the clients of the calculation service saw, one per kind of socket
 * @param xping what the prober saw
 * @param series points for the plots
 * @param attack what an attacker tried, {@code null} if there was none
 * @param verdict whether the run was good
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
@JsonPropertyOrder({
  "schema",
  "startedAt",
  "durationMs",
  "verdict",
  "scenario",
  "machine",
  "migrations",
  "cal",
  "xping"
})
public record RunResult(
    String schema,
    String startedAt,
    double durationMs,
    Scenario scenario,
    Machine machine,
    List<Migration> migrations,
    List<Cal> cal,
    List<Xping> xping,
    Series series,
    @Nullable Attack attack,
    Verdict verdict) {
  /** Current value of {@link #schema}. */
  public static final String SCHEMA = "xmig-result/1";

  /**
   * What was asked for.
   *
   * @param name of the scenario, e.g. {@code intra-ad}
   * @param topology file name of the Click configuration
   * @param stack XIA stack of the hosts
   * @param accelerator of QEMU: {@code tcg} or {@code kvm}
   * @param links kind and shape of the links
   * @param mode {@code full} (memory and disk) or {@code ram-only}
   * @param outageTargetMs outage to stay within
   * @param downtimeLimitMs QEMU's downtime-limit; {@code null} if it followed from target and rate
   * @param vm the machine that moves
   */
  public record Scenario(
      String name,
      String topology,
      String stack,
      String accelerator,
      String links,
      String mode,
      int outageTargetMs,
      @Nullable Integer downtimeLimitMs,
      Vm vm) {}

  /**
   * The machine that moves: name, memory, disk and how much of the memory holds incompressible
   * bytes.
   *
   * @param processPeakMb most resident memory of its process with node, agent and services, MiB;
   *     {@code null} if it did not tell
   */
  public record Vm(
      String name, int memoryMb, double diskGb, int ballastMb, @Nullable Double processPeakMb) {}

  /** Where the run took place. */
  public record Machine(int cpus, long memoryMb, String kernel, String java, String qemu) {}

  /**
   * One migration.
   *
   * @param index from 1
   * @param from host it left
   * @param to host it went to
   * @param startedAtMs when the migration was asked for
   * @param totalMs from the request until the VM ran at the destination
   * @param qemuDowntimeMs as QEMU reports it
   * @param downtimeLimitMs QEMU's downtime-limit at the end
   * @param maxBandwidthMBps QEMU's max-bandwidth at the end, 10^6 bytes per second; {@code null} if
   *     there was no limit
   * @param stopToResumeMs from the source's STOP to the destination's RESUME or cont
   * @param outageMs longest time without an Xping answer around the hand-off
   * @param outageErrorMs the outage may be off by this much
   * @param outageParts what the outage consists of, adding up to it; {@code null} without a prober
   * @param lostProbes Xping probes lost in the outage; the paper's measure is this times the
   *     interval
   * @param bytes how much went where
   * @param streamSha256 digest of the whole migration stream, equal at both ends
   * @param calGapMs longest time between answers of each Cal socket around the hand-off
   * @param timeline named events in order
   */
  public record Migration(
      int index,
      String from,
      String to,
      double startedAtMs,
      double totalMs,
      @Nullable Double qemuDowntimeMs,
      int downtimeLimitMs,
      @Nullable Double maxBandwidthMBps,
      @Nullable Double stopToResumeMs,
      double outageMs,
      double outageErrorMs,
      @Nullable OutageParts outageParts,
      int lostProbes,
      Bytes bytes,
      String streamSha256,
      Map<String, Double> calGapMs,
      List<Event> timeline) {}

  /**
   * What an outage consists of, milliseconds, in the order of time.
   *
   * @param vmStopMs until the source's QEMU stopped the guest
   * @param lastBytesMs until the destination had the whole stream and had verified it
   * @param loadMs until the destination's QEMU ran the guest
   * @param perceptionMs until the machine's agent noticed
   * @param registrationMs until the gateway there had set the machine's route
   * @param routeRepointMs until the other gateways had
   * @param transportRecoveryMs until the first probe was sent that was answered
   * @param firstAnswerMs until its answer was there
   */
  public record OutageParts(
      double vmStopMs,
      double lastBytesMs,
      double loadMs,
      double perceptionMs,
      double registrationMs,
      double routeRepointMs,
      double transportRecoveryMs,
      double firstAnswerMs) {
    /** The parts under the names that people read, in the order of time. */
    public Map<String, Double> named() {
      Map<String, Double> parts = new LinkedHashMap<>();
      parts.put("VM stop", vmStopMs);
      parts.put("last bytes", lastBytesMs);
      parts.put("load", loadMs);
      parts.put("perception", perceptionMs);
      parts.put("registration", registrationMs);
      parts.put("route repoint", routeRepointMs);
      parts.put("transport recovery", transportRecoveryMs);
      parts.put("first answer", firstAnswerMs);
      return parts;
    }

    /** All of it. */
    public double sumMs() {
      return named().values().stream().mapToDouble(Double::doubleValue).sum();
    }
  }

  /** Bytes of the QEMU stream, in chunks handed over, and on the wire into the destination host. */
  public record Bytes(long stream, long chunks, long wire) {}

  /** A named moment, milliseconds since the run started. */
  public record Event(String name, double atMs) {}

  /** What one client of the calculation service saw. */
  public record Cal(
      String socket,
      long asked,
      long answered,
      long wrong,
      long answeredBefore,
      long answeredAfter,
      double longestGapMs,
      @Nullable String broken) {}

  /** What one prober saw; round-trip times in milliseconds. */
  public record Xping(
      String target,
      double intervalMs,
      long sent,
      long answered,
      long lost,
      double rttP50Ms,
      double rttP99Ms,
      double rttMaxMs) {}

  /**
   * Points of the plots: each a pair of a time (milliseconds since the start) and a value.
   *
   * @param xpingRttMs a lost probe has the value {@code null}
   * @param throughputMBps migration stream, 10^6 bytes per second
   * @param calGapsMs per socket, time since the answer before
   */
  public record Series(
      List<@Nullable Double[]> xpingRttMs,
      List<Double[]> throughputMBps,
      Map<String, List<Double[]>> calGapsMs) {}

  /** The same with an attacker's deeds and what they mean for the verdict. */
  public RunResult withAttack(Attack seen, List<String> more) {
    List<String> problems = new ArrayList<>(verdict.problems());
    problems.addAll(more);
    return new RunResult(
        schema,
        startedAt,
        durationMs,
        scenario,
        machine,
        migrations,
        cal,
        xping,
        series,
        seen,
        new Verdict(problems.isEmpty(), problems));
  }

  /**
   * What an attacker tried, and what came of it.
   *
   * @param attempts messages by the kind of attack
   * @param stolen frames of the VM's traffic that came to it
   * @param lostAnswers probes of the VM that stayed unanswered while no migration was under way
   * @param refused by {@code NODE/SERVICE} and reason: messages not believed
   */
  public record Attack(
      Map<String, Long> attempts,
      long stolen,
      long lostAnswers,
      Map<String, Map<String, Long>> refused) {}

  /** Whether the run was good, and if not, why. */
  public record Verdict(boolean ok, List<String> problems) {}
}
