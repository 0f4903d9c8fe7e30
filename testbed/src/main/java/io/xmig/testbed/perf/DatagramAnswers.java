package io.xmig.testbed.perf;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramHandler;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the server does with datagrams: counts them by session, sends echoes back. Never answers
 * with more bytes than it was sent, and remembers the {@value #MAX_SESSIONS} sessions heard last.
 */
final class DatagramAnswers implements DatagramHandler {
  static final int MAX_SESSIONS = 64;
  private static final int LARGEST = 64 << 10;

  private final EventLoop loop;
  private final ByteBuffer out = ByteBuffer.allocateDirect(LARGEST);
  private final Map<Session, DatagramCounts> sessions =
      new LinkedHashMap<>(MAX_SESSIONS, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Session, DatagramCounts> eldest) {
          return size() > MAX_SESSIONS;
        }
      };
  private @Nullable DatagramSocket socket;

  private record Session(Xid client, long number) {}

  DatagramAnswers(EventLoop loop) {
    this.loop = loop;
  }

  void opened(DatagramSocket opened) {
    socket = opened;
  }

  @Override
  public void onDatagram(Dag source, ByteBuffer payload, int inPort) {
    int length = payload.remaining();
    int start = payload.position();
    PerfDatagram head = PerfDatagram.read(payload);
    if (head == null || socket == null || length > LARGEST) {
      return;
    }
    switch (head.kind()) {
      case DATA ->
          counts(source, head).add(head.sequence(), length, head.sentNs(), loop.nanoTime());
      case END -> {
        if (length >= PerfDatagram.REPORT_LENGTH) {
          out.clear();
          answer(head, PerfDatagram.Kind.REPORT).write(out);
          counts(source, head).write(out);
          socket.send(source, out.flip());
        }
      }
      case ECHO -> {
        out.clear();
        answer(head, PerfDatagram.Kind.ECHOED).write(out);
        out.put(payload.limit(start + length).position(start + PerfDatagram.LENGTH));
        socket.send(source, out.flip());
      }
      default -> {
        return; // answers are not for servers
      }
    }
  }

  private static PerfDatagram answer(PerfDatagram to, PerfDatagram.Kind kind) {
    return new PerfDatagram(kind, to.session(), to.sequence(), to.sentNs());
  }

  private DatagramCounts counts(Dag source, PerfDatagram head) {
    return sessions.computeIfAbsent(
        new Session(source.intent(), head.session()), session -> new DatagramCounts());
  }
}
