package io.xmig.testbed.run;

import io.xmig.testbed.attack.Attacker;
import io.xmig.testbed.network.Network;
import io.xmig.testbed.report.RunResult;
import io.xmig.testbed.workload.AgentDiary;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.XiaStack;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An attacker on every segment of a run, and what the run's services made of it. */
final class Siege implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofMillis(40);
  private static final long SEED = 666;

  /** After a machine runs, for this long, and before the end, probes may be lost to the move. */
  private static final long UNSETTLED_US = 1_500_000;

  private static final long LONGEST_OUTAGE_US = 10_000_000;

  /** The card's queue has room for 256 frames, of which these probes are a quarter at least. */
  private static final int QUEUE_FULL = 64;

  private final Nodes nodes;
  private final Attacker attacker;

  private Siege(Nodes nodes, Attacker attacker) {
    this.nodes = nodes;
    this.attacker = attacker;
  }

  /** Begins; {@code null} if the run is to be left in peace. */
  static @Nullable Siege begin(Lab lab, Nodes nodes, Scenario scenario, RunOptions options)
      throws java.io.IOException {
    if (!options.attacker) {
      return null;
    }
    Network network = nodes.network();
    List<Attacker.Foothold> footholds = new ArrayList<>();
    List<String> hosts = new ArrayList<>(scenario.hosts());
    hosts.add(scenario.client());
    for (String host : hosts) {
      footholds.add(
          new Attacker.Foothold(
              lab.directory().resolve("plug-" + network.lan(host) + ".sock"),
              network.ad(host),
              network.topology().node(network.gateway(host)).hid()));
    }
    Attacker attacker =
        Attacker.start(
            lab.directory(),
            footholds,
            nodes.identities().hid(Nodes.VM),
            Nodes.GUEST_NAME,
            network.local(scenario.nameServer()).service(Xid.SID_NS),
            PAUSE,
            SEED);
    return new Siege(nodes, attacker);
  }

  /**
   * The result with what was tried and refused; the attack must have come to nothing.
   *
   * @param byVm what the VM itself has refused, by service and reason
   */
  RunResult judge(
      RunResult result,
      List<MigrationRecord> moves,
      ProbeLog probes,
      Map<String, Map<String, Long>> byVm,
      long endUs) {
    Attacker.Tally tally = attacker.tally();
    Map<String, Map<String, Long>> refused = refused();
    byVm.forEach(
        (service, counts) -> {
          if (!service.equals(AgentDiary.PROCESS)) {
            refused.put(Nodes.VM + "/" + service, counts);
          }
        });
    long lost = lostInPeace(probes, moves, endUs);
    List<String> problems = new ArrayList<>();
    if (tally.stolen() > 0) {
      problems.add("attacker: " + tally.stolen() + " frames of the VM's traffic came to it");
    }
    if (lost > 0) {
      problems.add("attacker: " + lost + " probes of the VM unanswered outside migrations");
    }
    for (String gateway : nodes.network().gateways()) {
      if (refused.getOrDefault(gateway + "/gateway", Map.of()).isEmpty()) {
        problems.add("attacker: " + gateway + " refused nothing");
      }
    }
    return result.withAttack(
        new RunResult.Attack(tally.attempts(), tally.stolen(), lost, refused), problems);
  }

  /** Probes that were lost and were sent neither in a migration nor in the outage at its end. */
  static long lostInPeace(ProbeLog probes, List<MigrationRecord> moves, long endUs) {
    List<long[]> troubled = new ArrayList<>();
    troubled.add(new long[] {endUs - UNSETTLED_US, Long.MAX_VALUE});
    for (MigrationRecord move : moves) {
      ProbeLog.Outage outage =
          probes.outage(move.requestedUs(), move.runningUs() + LONGEST_OUTAGE_US);
      long over = outage.startUs() + outage.lengthUs() + outage.errorUs();
      troubled.add(
          new long[] {move.requestedUs(), Math.max(move.runningUs() + UNSETTLED_US, over)});
    }
    return probes.samples().stream()
        .filter(sample -> !sample.answered())
        .filter(
            sample ->
                troubled.stream()
                    .noneMatch(span -> sample.sentUs() >= span[0] && sample.sentUs() <= span[1]))
        .filter(sample -> !stoodStill(probes, sample.sentUs()))
        .count();
  }

  /**
   * Whether every one of the last probes sent before this moment, as many as fill the queue of the
   * VM's network card, was waiting in it then and answered later: the VM stood still, and what
   * found no room any more was lost without anybody's doing. A single one of them that had been
   * answered by then shows that there was room: answers come in the order of the queue.
   */
  private static boolean stoodStill(ProbeLog probes, long us) {
    List<Sample> before =
        probes.samples().stream()
            .filter(s -> s.answered() && s.sentUs() < us)
            .sorted(Comparator.comparingLong(Sample::sentUs).reversed())
            .limit(QUEUE_FULL)
            .toList();
    return before.size() == QUEUE_FULL && before.stream().allMatch(s -> s.answeredUs() > us);
  }

  private Map<String, Map<String, Long>> refused() {
    Map<String, Map<String, Long>> all = new TreeMap<>();
    for (String node : nodes.names()) {
      try (XiaStack stack = nodes.inspect(node)) {
        for (String service : List.of("gateway", "nameserver", "agent")) {
          Map<String, Long> counts = new TreeMap<>();
          for (String line :
              Nodes.read(stack, node + "/" + service + ".refused").lines().toList()) {
            String[] words = line.split(" ", 2);
            counts.put(words[0], Long.parseLong(words[1]));
          }
          if (!counts.isEmpty()) {
            all.put(node + "/" + service, counts);
          }
        }
        Map<String, Long> streams =
            AgentDiary.refusedStreams(Nodes.read(stack, node + "/xrc/xtransport.stats"));
        if (!streams.isEmpty()) {
          all.put(node + "/stream", streams);
        }
      }
    }
    return all;
  }

  @Override
  public void close() {
    attacker.close();
  }
}
