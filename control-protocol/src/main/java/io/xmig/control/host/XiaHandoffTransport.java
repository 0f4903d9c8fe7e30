package io.xmig.control.host;

import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Host services that talk over XIA STREAM.
 *
 * @threading calls from any thread; everything happens on the stack's loop
 */
public final class XiaHandoffTransport implements HandoffTransport {
  private static final Logger log = LoggerFactory.getLogger(XiaHandoffTransport.class);
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
  private static final long FIRST_RETRY_NS = 200_000_000L;
  private static final long LAST_RETRY_NS = 3_000_000_000L;
  private static final int BACKLOG = 16;

  private final XiaStack stack;
  private final EventLoop loop;
  private final Xid service;
  private final Function<String, CompletableFuture<Dag>> resolver;
  private final Set<XiaLink> links = new HashSet<>();
  private @Nullable StreamListener listener;
  private boolean closed;

  /**
   * A transport whose own address is {@code service} on this host.
   *
   * @param resolver turns what users write for another host service into its address
   */
  public XiaHandoffTransport(
      XiaStack stack, Xid service, Function<String, CompletableFuture<Dag>> resolver) {
    this.stack = stack;
    this.loop = stack.loop();
    this.service = service;
    this.resolver = resolver;
  }

  @Override
  public Link open(String peer, Listener events) {
    XiaLink link = new XiaLink(peer, events);
    loop.execute(link::connect);
    return link;
  }

  @Override
  public void accept(Acceptor acceptor) {
    loop.execute(
        () ->
            stack
                .listen(
                    service,
                    BACKLOG,
                    connection -> {
                      XiaLink link = new XiaLink(null, null);
                      link.events = acceptor.accept(link);
                      link.attach(connection);
                      return link;
                    })
                .whenComplete(
                    (made, trouble) -> {
                      if (trouble != null) {
                        log.error("cannot listen for other host services: {}", trouble.toString());
                      } else if (closed) {
                        made.close();
                      } else {
                        listener = made;
                      }
                    }));
  }

  /** One connection at a time to one other host service. */
  private final class XiaLink implements Link, StreamHandler {
    private final @Nullable String peer;
    private @Nullable Listener events;
    private HandoffFraming framing = new HandoffFraming();
    private final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
    private @Nullable StreamConnection connection;
    private long retryNs = FIRST_RETRY_NS;
    private boolean ended;

    XiaLink(@Nullable String peer, @Nullable Listener events) {
      this.peer = peer;
      this.events = events;
      links.add(this);
    }

    private void connect() {
      if (ended || peer == null || connection != null) {
        return;
      }
      CompletableFuture<StreamConnection> attempt;
      try {
        attempt = resolver.apply(peer).thenCompose(dag -> stack.connect(dag, CONNECT_LIMIT, this));
      } catch (RuntimeException e) {
        attempt = CompletableFuture.failedFuture(e);
      }
      attempt.whenComplete(
          (made, trouble) ->
              onLoop(
                  () -> {
                    if (trouble != null) {
                      Throwable root =
                          trouble instanceof CompletionException && trouble.getCause() != null
                              ? trouble.getCause()
                              : trouble;
                      log.debug("host service {} cannot be reached: {}", peer, root.toString());
                      if (events != null && !ended) {
                        events.unreachable(String.valueOf(root.getMessage()));
                      }
                      retry();
                    } else if (ended) {
                      made.close();
                    } else {
                      attach(made);
                    }
                  }));
    }

    private void onLoop(Runnable task) {
      if (loop.inLoop()) {
        task.run();
      } else {
        loop.execute(task);
      }
    }

    private void attach(StreamConnection made) {
      connection = made;
      framing = new HandoffFraming();
      queue.clear();
      retryNs = FIRST_RETRY_NS;
      if (events != null) {
        events.up();
      }
      onReadable(made);
    }

    private void retry() {
      if (!ended && peer != null) {
        loop.schedule(retryNs, this::connect);
        retryNs = Math.min(retryNs * 2, LAST_RETRY_NS);
      }
    }

    @Override
    public void send(HandoffMessage message) {
      ByteBuffer frame = HandoffFraming.frame(message);
      onLoop(
          () -> {
            if (connection != null) {
              queue.add(frame);
              flush(connection);
            }
          });
    }

    private void flush(StreamConnection to) {
      try {
        while (!queue.isEmpty()) {
          to.write(queue.getFirst());
          if (queue.getFirst().hasRemaining()) {
            return;
          }
          queue.removeFirst();
        }
      } catch (XiaSocketException e) {
        lost(to, isGone(e), e.getMessage());
      }
    }

    @Override
    public void onWritable(StreamConnection to) {
      if (to == connection) {
        flush(to);
      }
    }

    @Override
    public void onReadable(StreamConnection from) {
      if (from != connection) {
        return;
      }
      try {
        while (from == connection) {
          int got = from.read(framing.buffer());
          if (got < 0) {
            lost(from, true, "closed by the peer");
            return;
          }
          if (got == 0) {
            return;
          }
          for (HandoffMessage message = framing.next(); message != null; message = framing.next()) {
            if (events != null) {
              events.received(message);
            }
          }
        }
      } catch (InvalidProtocolBufferException e) {
        log.warn("malformed message of a host service, connection closed: {}", e.getMessage());
        lost(from, true, e.getMessage());
      } catch (XiaSocketException e) {
        lost(from, isGone(e), e.getMessage());
      }
    }

    @Override
    public void onClosed(StreamConnection over, @Nullable XiaSocketException cause) {
      lost(over, cause == null || isGone(cause), cause == null ? "closed" : cause.getMessage());
    }

    private static boolean isGone(XiaSocketException cause) {
      return cause.kind() == XiaSocketException.Kind.RESET
          || cause.kind() == XiaSocketException.Kind.CLOSED;
    }

    private void lost(StreamConnection over, boolean peerIsGone, @Nullable String why) {
      if (over != connection) {
        return;
      }
      log.debug("connection of host services lost: {}", why);
      connection = null;
      queue.clear();
      over.abort();
      if (!ended && events != null) {
        events.down(peerIsGone);
      }
      if (peer == null) {
        links.remove(this);
      } else {
        retry();
      }
    }

    @Override
    public void reset() {
      onLoop(
          () -> {
            if (connection != null) {
              lost(connection, false, "made anew");
            }
          });
    }

    @Override
    public void close() {
      onLoop(
          () -> {
            ended = true;
            links.remove(this);
            if (connection != null) {
              StreamConnection over = connection;
              connection = null;
              over.close();
            }
          });
    }
  }

  @Override
  public void close() {
    loop.execute(
        () -> {
          closed = true;
          if (listener != null) {
            listener.close();
          }
          Set.copyOf(links).forEach(XiaLink::close);
        });
  }
}
