package io.xmig.testbed.workload;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentEvent;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Tells over the network what a machine's agent did lately: lines of an event's name and its age in
 * microseconds. An age means the same on every clock, so the asker needs to know nothing of the
 * machine's, which stood still while it was moved.
 *
 * @threading on the stack's loop
 */
public final class AgentDiary implements AutoCloseable {
  /** Service that answers every datagram. */
  public static final Xid SID = Xid.parse("SID:ca10000000000000000000000000000000000003");

  /** First byte of a question for counts, instead of for events. */
  public static final byte COUNTS = 1;

  /** Under this name {@link #readCounts} has what the process takes. */
  public static final String PROCESS = "process";

  /** Most resident memory, KiB. */
  public static final String PEAK_KB = "peakKb";

  private static final Pattern REFUSED_STREAMS =
      Pattern.compile("\\b(migrationsRejected|unknownToken|badChecksum|malformed|invalid)=(\\d+)");
  private static final int MAX_ANSWER_BYTES = 1000;
  private static final long NS_PER_US = 1000;

  private final XiaStack stack;
  private final EventLoop loop;
  private final Agent agent;
  private @Nullable DatagramSocket socket;

  private AgentDiary(XiaStack stack, Agent agent) {
    this.stack = stack;
    this.loop = stack.loop();
    this.agent = agent;
  }

  /**
   * Something that the agent did.
   *
   * @param ageUs how long ago, microseconds
   */
  public record Entry(String name, long ageUs) {}

  /** Binds the service; call it on the stack's loop. */
  public static CompletableFuture<AgentDiary> start(XiaStack stack, Agent agent) {
    AgentDiary diary = new AgentDiary(stack, agent);
    return stack
        .openDatagram(SID, (source, payload, port) -> diary.answer(source, payload))
        .thenApply(
            opened -> {
              diary.socket = opened;
              return diary;
            });
  }

  private void answer(Dag asker, ByteBuffer question) {
    if (question.hasRemaining() && question.get(question.position()) == COUNTS) {
      stack
          .readHandler("./xrc/xtransport.stats")
          .thenAccept(stats -> send(asker, counts(agent.refusals().counts(), stats, peakKb())));
    } else {
      send(asker, write(agent.machine().events(), loop.nanoTime()));
    }
  }

  private void send(Dag asker, byte[] answer) {
    DatagramSocket open = socket;
    if (open != null) {
      open.send(asker, ByteBuffer.wrap(answer));
    }
  }

  /** The most resident memory that this process has had, in KiB; 0 if the system does not say. */
  private static long peakKb() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  /**
   * What a machine has refused, and its memory: {@code agent REASON count}, {@code stream NAME
   * count} and {@code process peakKb count} lines.
   *
   * @param stats counters of the stream transport, {@code {name=count, …}}
   */
  static byte[] counts(Map<String, Long> agent, String stats, long peakKb) {
    StringBuilder text = new StringBuilder();
    text.append(PROCESS + ' ' + PEAK_KB + ' ').append(peakKb).append('\n');
    agent.forEach((reason, count) -> text.append("agent " + reason + ' ' + count + '\n'));
    refusedStreams(stats)
        .forEach((name, count) -> text.append("stream " + name + ' ' + count + '\n'));
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /** What a stream transport has refused, by its counters as the handler shows them. */
  public static Map<String, Long> refusedStreams(String stats) {
    Map<String, Long> found = new TreeMap<>();
    Matcher matcher = REFUSED_STREAMS.matcher(stats);
    while (matcher.find()) {
      if (!matcher.group(2).equals("0")) {
        found.put(matcher.group(1), Long.parseLong(matcher.group(2)));
      }
    }
    return found;
  }

  /** Reads an answer about counts, by service and reason; lines that are none are left out. */
  public static Map<String, Map<String, Long>> readCounts(ByteBuffer answer) {
    Map<String, Map<String, Long>> all = new TreeMap<>();
    for (String line : StandardCharsets.US_ASCII.decode(answer).toString().split("\n", -1)) {
      String[] words = line.split(" ", -1);
      if (words.length == 3 && words[2].matches("\\d{1,18}")) {
        all.computeIfAbsent(words[0], service -> new TreeMap<>())
            .put(words[1], Long.parseLong(words[2]));
      }
    }
    return all;
  }

  /** The newest events, newest first, as many as fit into a packet. */
  static byte[] write(List<AgentEvent> events, long nowNs) {
    StringBuilder text = new StringBuilder();
    for (int i = events.size() - 1; i >= 0; i--) {
      AgentEvent event = events.get(i);
      String line = event.name() + ' ' + (nowNs - event.atNs()) / NS_PER_US + '\n';
      if (text.length() + line.length() > MAX_ANSWER_BYTES) {
        break;
      }
      text.append(line);
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /** Reads an answer, oldest entry first; lines that are none are left out. */
  public static List<Entry> read(ByteBuffer answer) {
    List<Entry> entries = new ArrayList<>();
    for (String line : StandardCharsets.US_ASCII.decode(answer).toString().split("\n", -1)) {
      int space = line.indexOf(' ');
      if (space <= 0) {
        continue;
      }
      try {
        long age = Long.parseLong(line.substring(space + 1));
        if (age >= 0) {
          entries.add(new Entry(line.substring(0, space), age));
        }
      } catch (NumberFormatException e) {
        continue; // a damaged line tells nothing
      }
    }
    Collections.reverse(entries);
    return entries;
  }

  @Override
  public void close() {
    if (socket != null) {
      socket.close();
      socket = null;
    }
  }
}
