package io.xmig.testbed.workload;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calculation service of the paper ("Cal"): answers each even number with two primes that add
 * up to it, on a connection-oriented and a connection-less socket.
 *
 * @threading on the stack's loop
 * @source paper, section 3.2 (migration test and verify)
 */
public final class CalServer implements AutoCloseable {
  /** Service for connections. */
  public static final Xid STREAM_SID = Xid.parse("SID:ca10000000000000000000000000000000000001");

  /** Service for datagrams. */
  public static final Xid DGRAM_SID = Xid.parse("SID:ca10000000000000000000000000000000000002");

  private static final int MAX_CONNECTIONS_WAITING = 64;
  private static final Logger LOG = LoggerFactory.getLogger(CalServer.class);

  private final StreamListener listener;
  private final DatagramSocket datagrams;

  private CalServer(StreamListener listener, DatagramSocket datagrams) {
    this.listener = listener;
    this.datagrams = datagrams;
  }

  /** Binds both services on {@code stack}; call it on the stack's loop. */
  public static CompletableFuture<CalServer> start(XiaStack stack) {
    Datagrams answers = new Datagrams();
    CompletableFuture<StreamListener> listening =
        stack.listen(STREAM_SID, MAX_CONNECTIONS_WAITING, connection -> new Connection());
    return stack
        .openDatagram(DGRAM_SID, answers::answer)
        .thenCombine(
            listening,
            (socket, listener) -> {
              answers.socket = socket;
              return new CalServer(listener, socket);
            });
  }

  @Override
  public void close() {
    listener.close();
    datagrams.close();
  }

  /** Questions by datagram. */
  private static final class Datagrams {
    private final ByteBuffer out = ByteBuffer.allocateDirect(CalMessage.LENGTH);
    private @Nullable DatagramSocket socket;

    private void answer(Dag source, ByteBuffer payload, int inPort) {
      CalMessage question = CalMessage.read(payload);
      if (question == null || !question.isQuestion() || socket == null) {
        return;
      }
      out.clear();
      question.solved().write(out);
      socket.send(source, out.flip());
    }
  }

  /** Questions on one connection. Reads only while there is room for the answers. */
  private static final class Connection implements StreamHandler {
    private final ByteBuffer in = ByteBuffer.allocateDirect(64 * CalMessage.LENGTH);
    private final ByteBuffer out = ByteBuffer.allocateDirect(64 * CalMessage.LENGTH);

    @Override
    public void onReadable(StreamConnection connection) {
      serve(connection);
    }

    @Override
    public void onWritable(StreamConnection connection) {
      serve(connection);
    }

    private void serve(StreamConnection connection) {
      while (true) {
        out.flip();
        connection.write(out);
        boolean blocked = out.hasRemaining();
        out.compact();
        if (blocked) {
          return; // onWritable comes back here
        }
        int read = connection.read(in);
        if (read < 0) {
          connection.close();
          return;
        }
        if (read == 0) {
          return;
        }
        in.flip();
        while (in.remaining() >= CalMessage.LENGTH && out.remaining() >= CalMessage.LENGTH) {
          CalMessage question = CalMessage.read(in);
          if (question == null || !question.isQuestion()) {
            LOG.info("cal: dropping a client that does not ask a question");
            connection.abort();
            return;
          }
          question.solved().write(out);
        }
        in.compact();
      }
    }

    @Override
    public void onClosed(StreamConnection connection, @Nullable XiaSocketException cause) {
      LOG.debug("cal: connection closed", cause);
    }
  }
}
