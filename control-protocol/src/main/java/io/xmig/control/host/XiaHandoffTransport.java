package io.xmig.control.host;

import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.Refused;
import io.xmig.control.host.v1.SignedMessage;
import io.xmig.control.session.MessageFraming;
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
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.random.RandomGenerator;
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

  /** Incoming connections that have not said who they are. */
  private static final int MAX_STRANGERS = 16;

  private static final long GREETING_LIMIT_NS = 5_000_000_000L;
  private static final long REFUSAL_NS = 2_000_000_000L;

  /** A message, its signature, and the lengths of both. */
  private static final int FRAME_BYTES = PeerSession.MAX_MESSAGE_BYTES + 128;

  private final XiaStack stack;
  private final EventLoop loop;
  private final Xid service;
  private final Function<String, CompletableFuture<Dag>> resolver;
  private final PeerTrust trust;
  private final RandomGenerator random;
  private final Set<XiaLink> links = new HashSet<>();
  private @Nullable StreamListener listener;
  private int strangers;
  private boolean closed;

  /**
   * A transport whose own address is {@code service} on this host.
   *
   * @param resolver turns what users write for another host service into its address
   * @param trust who is believed
   * @param random unpredictable, for nonces
   */
  public XiaHandoffTransport(
      XiaStack stack,
      Xid service,
      Function<String, CompletableFuture<Dag>> resolver,
      PeerTrust trust,
      RandomGenerator random) {
    this.stack = stack;
    this.loop = stack.loop();
    this.service = service;
    this.resolver = resolver;
    this.trust = trust;
    this.random = random;
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
                      if (strangers >= MAX_STRANGERS) {
                        log.warn("too many host services that have not said who they are");
                        link.close();
                        connection.abort();
                      } else {
                        strangers++;
                        link.events = acceptor.accept(link);
                        link.attach(connection);
                      }
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

  private static MessageFraming<SignedMessage> newFraming() {
    return new MessageFraming<>(SignedMessage.parser(), FRAME_BYTES);
  }

  /** One connection at a time to one other host service. */
  private final class XiaLink implements Link, StreamHandler {
    private final @Nullable String peer;
    private @Nullable Listener events;
    private MessageFraming<SignedMessage> framing = newFraming();
    private @Nullable PeerSession session;
    private final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
    private @Nullable StreamConnection connection;
    private long retryNs = FIRST_RETRY_NS;
    private volatile List<Xid> dialled = List.of();
    private volatile String identity = "";
    private boolean isUp;
    private boolean refusing;
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
        attempt =
            resolver
                .apply(peer)
                .thenCompose(
                    dag -> {
                      dialled = dag.nodes();
                      return stack.connect(dag, CONNECT_LIMIT, this);
                    });
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
      framing = newFraming();
      queue.clear();
      isUp = false;
      refusing = false;
      byte[] nonce = new byte[PeerSession.NONCE_BYTES];
      random.nextBytes(nonce);
      PeerSession begun =
          peer == null
              ? PeerSession.acceptor(trust, nonce)
              : PeerSession.opener(trust, dialled, nonce);
      session = begun;
      loop.schedule(
          GREETING_LIMIT_NS,
          () -> {
            if (made == connection && !isUp) {
              lost(made, false, "it does not say who it is");
            }
          });
      write(made, begun.greeting());
      onReadable(made);
    }

    private void write(StreamConnection to, SignedMessage message) {
      queue.add(MessageFraming.frame(message, FRAME_BYTES));
      flush(to);
    }

    private void greeted(PeerSession with) {
      isUp = true;
      identity = with.peer();
      if (peer == null) {
        strangers--;
      }
      if (events != null) {
        events.up();
      }
    }

    /** The other side is not believed, and is told so. */
    private void refuse(StreamConnection from, PeerSession with, String why) {
      log.warn("a host service is refused: {}", why);
      if (with.canSeal()) {
        write(
            from,
            with.seal(
                HandoffMessage.newBuilder()
                    .setRefused(Refused.newBuilder().setReason(why))
                    .build()));
      }
      refusing = true;
      if (peer != null) {
        notBelieved(from, why);
      } else {
        // the other side closes once it has heard; a close from here could overtake that
        loop.schedule(REFUSAL_NS, () -> lost(from, true, why));
      }
    }

    private void notBelieved(StreamConnection from, String why) {
      retryNs = LAST_RETRY_NS;
      lost(from, true, why);
      if (events != null && !ended) {
        events.refused(why);
      }
    }

    private void retry() {
      if (!ended && peer != null) {
        loop.schedule(retryNs, this::connect);
        retryNs = Math.min(retryNs * 2, LAST_RETRY_NS);
      }
    }

    @Override
    public void send(HandoffMessage message) {
      onLoop(
          () -> {
            if (connection != null && session != null && isUp) {
              write(connection, session.seal(message));
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
          for (SignedMessage next = framing.next();
              next != null && from == connection;
              next = framing.next()) {
            deliver(from, next);
          }
        }
      } catch (InvalidProtocolBufferException e) {
        log.warn("malformed message of a host service, connection closed: {}", e.getMessage());
        lost(from, true, e.getMessage());
      } catch (XiaSocketException e) {
        lost(from, isGone(e), e.getMessage());
      }
    }

    private void deliver(StreamConnection from, SignedMessage sealed)
        throws InvalidProtocolBufferException {
      PeerSession with = session;
      if (with == null || refusing) {
        return;
      }
      HandoffMessage message;
      try {
        message = with.open(sealed).orElse(null);
      } catch (PeerSession.RefusedException e) {
        refuse(from, with, String.valueOf(e.getMessage()));
        return;
      }
      if (message == null) {
        greeted(with);
      } else if (message.getHandoff().isEmpty() && message.hasRefused()) {
        notBelieved(from, message.getRefused().getReason());
      } else if (events != null) {
        retryNs = FIRST_RETRY_NS;
        events.received(message);
      }
    }

    @Override
    public String identity() {
      return identity;
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
      if (peer == null && !isUp) {
        strangers--;
      }
      if (isUp && !ended && events != null) {
        events.down(peerIsGone);
      }
      isUp = false;
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
              if (peer == null && !isUp) {
                strangers--;
              }
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
