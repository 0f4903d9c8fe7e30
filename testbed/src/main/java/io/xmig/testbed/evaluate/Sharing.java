package io.xmig.testbed.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.testbed.links.VethNet;
import io.xmig.testbed.run.Lab;
import io.xmig.testbed.run.Nodes;
import io.xmig.testbed.run.RunException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Two streams of {@code xmig send} and {@code xmig receive} at once over the link of the LAN
 * setting, in place of two migrations: two more QEMUs would compete for the processors, not for the
 * link. What counts is the time in which both are under way.
 */
final class Sharing {
  private static final Setting LAN = Networks.LAN.setting(false);
  private static final int STREAMS = 2;
  private static final int MEGABYTES = 320;
  private static final int BLOCK = 1 << 20;
  private static final Duration LIMIT = Duration.ofSeconds(180);

  /** The pipes compile, the windows open. */
  private static final long SETTLE_MS = 1500;

  private static final long LEAST_MS = 1000;

  private final boolean keep;

  Sharing(boolean keep) {
    this.keep = keep;
  }

  List<Aside> run() throws IOException {
    try (Lab lab = Lab.open(keep)) {
      Nodes nodes = Nodes.inNamespaces(lab, LAN.scenario(), LAN.mtu(), LAN.shape(), false);
      VethNet net = (VethNet) nodes.links();
      for (int i = 0; i < STREAMS; i++) {
        Path file = lab.directory().resolve("stream" + i);
        write(file, i);
        Xid service = Xid.of(XidType.SID.code(), 0, 0, 0x5a00 + i);
        pipe(lab, net, nodes, 1, "receive", i, "--service", service.toString(), "</dev/null");
        pipe(
            lab,
            net,
            nodes,
            0,
            "send",
            i,
            "--to",
            nodes.network().local(Stage.HOSTS.get(1)).service(service).toString(),
            "<" + file);
      }
      await(lab);
      return judge(progress(lab, 0), progress(lab, 1), LAN.bytesPerSecond());
    }
  }

  private static void write(Path file, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] block = new byte[BLOCK];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < MEGABYTES; i++) {
        random.nextBytes(block);
        out.write(block);
      }
    }
  }

  private static void pipe(
      Lab lab,
      VethNet net,
      Nodes nodes,
      int host,
      String command,
      int number,
      String option,
      String value,
      String input) {
    String at = Stage.HOSTS.get(host);
    List<String> prefix = new ArrayList<>(net.prefix(at));
    prefix.addAll(List.of("sh", "-c", "exec \"$0\" \"$@\" " + input + " >/dev/null"));
    lab.launch(
        command + number,
        prefix,
        List.of(
            command,
            option,
            value,
            "--raw",
            "--xia",
            nodes.nodeOf(at),
            "--status",
            status(lab, command, number).toString()));
  }

  private static Path status(Lab lab, String command, int number) {
    return lab.directory().resolve(command + number + ".jsonl");
  }

  private static void await(Lab lab) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    List<String> receivers = List.of("receive0", "receive1");
    while (!lab.dead().containsAll(receivers)) {
      if (System.nanoTime() > deadline) {
        throw new RunException(
            "the streams do not end", Map.of("ended", lab.dead(), "limit", LIMIT.toSeconds()));
      }
      Stage.pause(100);
    }
  }

  /** Bytes written by a receiver over time, ms. */
  private static TreeMap<Long, Long> progress(Lab lab, int number) throws IOException {
    TreeMap<Long, Long> written = new TreeMap<>();
    boolean verified = false;
    Path file = status(lab, "receive", number);
    for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
      JsonNode node = new ObjectMapper().readTree(line);
      long bytes = node.path("written").asLong();
      verified |= node.path("event").asText().equals("verified");
      if (!verified && bytes > 0) {
        written.put(node.path("timeMs").asLong(), bytes);
      }
    }
    if (!verified) {
      throw new RunException(
          "a stream did not arrive",
          Map.of("receive", lab.tail("receive" + number), "send", lab.tail("send" + number)));
    }
    return written;
  }

  /** Fairness and use of the link while both were under way. */
  static List<Aside> judge(TreeMap<Long, Long> a, TreeMap<Long, Long> b, long linkBytesPerSecond) {
    if (a.isEmpty() || b.isEmpty()) {
      throw new RunException("a stream was too short to be seen", Map.of());
    }
    long from = Math.max(a.firstKey(), b.firstKey()) + SETTLE_MS;
    long to = Math.min(a.lastKey(), b.lastKey());
    if (to - from < LEAST_MS) {
      throw new RunException("the streams were hardly under way together", Map.of("ms", to - from));
    }
    double x = rate(a, from, to);
    double y = rate(b, from, to);
    String note =
        String.format(
            Locale.ROOT,
            "two streams of xmig send, %.1f and %.1f MB/s for %.1f s",
            x / 1e6,
            y / 1e6,
            (to - from) / 1e3);
    return List.of(
        Aside.of(Aside.JAIN, (x + y) * (x + y) / (2 * (x * x + y * y)), "", note),
        Aside.of(Aside.SHARED, (x + y) / linkBytesPerSecond, "", note));
  }

  private static double rate(TreeMap<Long, Long> written, long from, long to) {
    return (at(written, to) - at(written, from)) * 1e3 / (to - from);
  }

  /** Between two reports the stream is taken to be even. */
  private static double at(TreeMap<Long, Long> written, long ms) {
    var before = written.floorEntry(ms);
    var after = written.ceilingEntry(ms);
    if (before == null || after == null) {
      return before == null ? after.getValue() : before.getValue();
    }
    double share =
        before.getKey().equals(after.getKey())
            ? 0
            : (double) (ms - before.getKey()) / (after.getKey() - before.getKey());
    return before.getValue() + share * (after.getValue() - before.getValue());
  }
}
