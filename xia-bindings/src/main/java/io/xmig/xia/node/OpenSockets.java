package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What an application has opened and not yet closed, so that closing its stack closes exactly that.
 *
 * @threading on the node's loop
 */
final class OpenSockets {
  private final Map<Object, Runnable> open = new LinkedHashMap<>();

  /** Remembers how to close something; the key says when it has been closed. */
  void add(Object key, Runnable close) {
    open.put(key, close);
  }

  /** Forgets something that has been closed. */
  void remove(Object key) {
    open.remove(key);
  }

  /** Things open now. */
  int size() {
    return open.size();
  }

  /** Closes everything, the youngest first. */
  void closeAll() {
    while (!open.isEmpty()) {
      List<Object> keys = List.copyOf(open.keySet());
      for (int i = keys.size() - 1; i >= 0; i--) {
        Runnable close = open.remove(keys.get(i));
        if (close != null) {
          close.run();
        }
      }
    }
  }

  StreamListener listener(StreamListener opened) {
    Listener tracked = new Listener(opened);
    add(tracked, opened::close);
    return tracked;
  }

  /** A handler for a connection that is not there yet; {@link Handler#opened} brings it. */
  Handler handler() {
    return new Handler();
  }

  CacheSlice slice(CacheSlice opened) {
    Slice tracked = new Slice(opened);
    add(tracked, opened::close);
    return tracked;
  }

  ChunkSocket chunks(ChunkSocket opened) {
    Chunks tracked = new Chunks(opened);
    add(tracked, opened::close);
    return tracked;
  }

  private final class Listener implements StreamListener {
    private final StreamListener listener;

    Listener(StreamListener listener) {
      this.listener = listener;
    }

    @Override
    public Dag localDag() {
      return listener.localDag();
    }

    @Override
    public void close() {
      remove(this);
      listener.close();
    }
  }

  /** Passes events on and forgets the connection after the last one. */
  final class Handler implements StreamHandler {
    private StreamHandler handler = new StreamHandler() {};
    private boolean over;

    /** Where events go. */
    Handler to(StreamHandler target) {
      handler = target;
      return this;
    }

    /** The connection is there: from now on it is one of the things open. */
    void opened(StreamConnection connection) {
      if (!over) {
        add(this, connection::close);
      }
    }

    @Override
    public void onReadable(StreamConnection connection) {
      handler.onReadable(connection);
    }

    @Override
    public void onWritable(StreamConnection connection) {
      handler.onWritable(connection);
    }

    @Override
    public void onAddressChange(StreamConnection connection) {
      handler.onAddressChange(connection);
    }

    @Override
    public void onClosed(StreamConnection connection, @Nullable XiaSocketException cause) {
      over = true;
      remove(this);
      handler.onClosed(connection, cause);
    }
  }

  private final class Slice implements CacheSlice {
    private final CacheSlice slice;

    Slice(CacheSlice slice) {
      this.slice = slice;
    }

    @Override
    public CompletableFuture<Void> put(Xid cid, ByteBuffer data) {
      return slice.put(cid, data);
    }

    @Override
    public void remove(Xid cid) {
      slice.remove(cid);
    }

    @Override
    public Dag dagOf(Xid cid) {
      return slice.dagOf(cid);
    }

    @Override
    public void close() {
      OpenSockets.this.remove(this);
      slice.close();
    }
  }

  private final class Chunks implements ChunkSocket {
    private final ChunkSocket socket;

    Chunks(ChunkSocket socket) {
      this.socket = socket;
    }

    @Override
    public void request(Dag chunk, int length, ChunkHandler handler) {
      socket.request(chunk, length, handler);
    }

    @Override
    public void cancel(Xid cid) {
      socket.cancel(cid);
    }

    @Override
    public void recycle(ByteBuffer data) {
      socket.recycle(data);
    }

    @Override
    public void close() {
      OpenSockets.this.remove(this);
      socket.close();
    }
  }
}
