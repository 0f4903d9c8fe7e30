package io.xmig.testbed.vm;

import io.xmig.control.host.HandoffTransport;
import io.xmig.control.host.v1.HandoffMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Host services in one process; connections can be cut and are made anew after a while. */
final class LoopNetwork implements AutoCloseable {
  private final Map<String, End> ends = new ConcurrentHashMap<>();
  private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
  private final List<Pair> pairs = new ArrayList<>();
  private boolean connected = true;

  /** The transport of one host service. */
  HandoffTransport transport(String name) {
    End end = new End();
    ends.put(name, end);
    return end;
  }

  /** Breaks every connection and makes none until {@link #heal}. */
  void cut() throws Exception {
    thread
        .submit(
            () -> {
              connected = false;
              List.copyOf(pairs).forEach(pair -> pair.lose(false));
            })
        .get(60, TimeUnit.SECONDS);
  }

  void heal() {
    thread.execute(() -> connected = true);
  }

  private final class End implements HandoffTransport {
    private volatile Acceptor acceptor;
    private volatile boolean closed;

    @Override
    public Link open(String peer, Listener listener) {
      Opened link = new Opened(peer, listener);
      thread.execute(link::connect);
      return link;
    }

    @Override
    public void accept(Acceptor newAcceptor) {
      acceptor = newAcceptor;
    }

    @Override
    public void close() {
      closed = true;
      thread.execute(
          () -> {
            for (Pair pair : List.copyOf(pairs)) {
              if (pair.server == this || pair.client == this) {
                pair.lose(true);
              }
            }
          });
    }

    private final class Opened implements Link {
      private final String peer;
      private final Listener listener;
      private Pair pair;
      private boolean ended;

      Opened(String peer, Listener listener) {
        this.peer = peer;
        this.listener = listener;
      }

      private void connect() {
        End server = ends.get(peer);
        if (ended || closed || pair != null) {
          return;
        }
        if (!connected || server == null || server.closed || server.acceptor == null) {
          thread.schedule(this::connect, 50, TimeUnit.MILLISECONDS);
          return;
        }
        Pair made = new Pair(End.this, server);
        made.toClient = listener;
        made.onLost =
            peerIsGone -> {
              pair = null;
              if (!ended && !closed) {
                listener.down(peerIsGone);
                connect();
              }
            };
        made.toServer = server.acceptor.accept(made.serverLink());
        pair = made;
        pairs.add(made);
        listener.up();
        made.toServer.up();
      }

      @Override
      public void send(HandoffMessage message) {
        thread.execute(
            () -> {
              if (pair != null) {
                pair.toServer.received(message);
              }
            });
      }

      @Override
      public void reset() {
        thread.execute(
            () -> {
              if (pair != null) {
                pair.lose(true);
              }
            });
      }

      @Override
      public void close() {
        thread.execute(
            () -> {
              ended = true;
              if (pair != null) {
                pair.lose(true);
              }
            });
      }
    }
  }

  private final class Pair {
    private final End client;
    private final End server;
    private HandoffTransport.Listener toClient;
    private HandoffTransport.Listener toServer;
    private Consumer<Boolean> onLost;

    Pair(End client, End server) {
      this.client = client;
      this.server = server;
    }

    private void lose(boolean endIsGone) {
      if (pairs.remove(this)) {
        if (!server.closed) {
          toServer.down(endIsGone);
        }
        onLost.accept(endIsGone);
      }
    }

    private HandoffTransport.Link serverLink() {
      return new HandoffTransport.Link() {
        @Override
        public void send(HandoffMessage message) {
          thread.execute(
              () -> {
                if (pairs.contains(Pair.this)) {
                  toClient.received(message);
                }
              });
        }

        @Override
        public void reset() {
          thread.execute(() -> Pair.this.lose(true));
        }

        @Override
        public void close() {
          thread.execute(() -> Pair.this.lose(true));
        }
      };
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
