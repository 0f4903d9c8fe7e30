package io.xmig.testbed.workload;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentEvent;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

  private static final int MAX_ANSWER_BYTES = 1000;
  private static final long NS_PER_US = 1000;

  private final EventLoop loop;
  private final Agent agent;
  private @Nullable DatagramSocket socket;

  private AgentDiary(EventLoop loop, Agent agent) {
    this.loop = loop;
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
    AgentDiary diary = new AgentDiary(stack.loop(), agent);
    return stack
        .openDatagram(SID, (source, payload, port) -> diary.answer(source))
        .thenApply(
            opened -> {
              diary.socket = opened;
              return diary;
            });
  }

  private void answer(Dag asker) {
    DatagramSocket open = socket;
    if (open != null) {
      open.send(asker, ByteBuffer.wrap(write(agent.machine().events(), loop.nanoTime())));
    }
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
