package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.ptr.IntByReference;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Fetches chunks through our library from a node of ours, which sends them as they arrive: requests
 * go out many at a time, and nothing is asked for twice. One thread takes what comes.
 *
 * @threading on the stack's loop, except {@link #take}
 */
final class DeliveredChunks implements ChunkSocket, Endpoint {
  /** Chunks outstanding at once; two megabytes of full ones. */
  private static final int WINDOW = 128;

  private static final int TAKE_MS = 1000;
  private static final int NO_NUMBER = -1;

  /** Numbers of chunks stay below that of none. */
  private static final int LAST_NUMBER = Integer.MAX_VALUE - WINDOW;

  /** The node repeats by itself what was lost on its way to it; this is for the way from it. */
  private static final long REPEAT_NS = 5_000_000_000L;

  /** Longer than the node takes to give up. */
  private static final long GIVE_UP_NS = 60_000_000_000L;

  private static final int ENOENT = 2;
  private static final int ETIMEDOUT = 110;
  private static final int BUFFER_BYTES = 1 << 16;

  private final LibXsocketStack stack;
  private final IntSupplier opener;
  private final StatusList texts = new StatusList(WINDOW);
  private final SpareBuffers spare = new SpareBuffers(BUFFER_BYTES);
  private final Map<Xid, Request> waiting = new LinkedHashMap<>();
  private final Map<Xid, Request> outstanding = new LinkedHashMap<>();
  private final Map<Integer, Request> byNumber = new HashMap<>();
  private EventLoop.@Nullable Timer overdue;
  private boolean flushing;
  private int nextNumber;
  private volatile int fd;
  private volatile boolean closed;

  private static final class Request extends ChunkRequest {
    int number = NO_NUMBER;

    Request(Dag dag, ChunkHandler handler) {
      super(dag, handler);
    }
  }

  DeliveredChunks(LibXsocketStack stack, IntSupplier opener) {
    this.stack = stack;
    this.opener = opener;
    this.fd = opener.getAsInt();
    Worker.start("chunks-" + fd, this::take);
  }

  @Override
  public void request(Dag chunk, int length, ChunkHandler handler) {
    Request known = waiting.get(chunk.intent());
    if (known == null) {
      known = outstanding.get(chunk.intent());
    }
    if (known != null) {
      known.handlers.add(handler);
      return;
    }
    Request request = new Request(chunk, handler);
    XiaSocketException refusal = request.refusal();
    if (refusal != null) {
      stack.loop().execute(() -> fail(request, refusal));
      return;
    }
    waiting.put(request.cid(), request);
    flushSoon();
  }

  /** Once the requests that are made together have all been made. */
  private void flushSoon() {
    if (!flushing) {
      flushing = true;
      stack.loop().execute(this::flush);
    }
  }

  private void flush() {
    flushing = false;
    if (closed || waiting.isEmpty() || outstanding.size() >= WINDOW) {
      return;
    }
    long now = stack.loop().nanoTime();
    List<Request> fresh = new ArrayList<>();
    var queued = waiting.values().iterator();
    while (queued.hasNext() && outstanding.size() < WINDOW) {
      Request request = queued.next();
      queued.remove();
      request.sinceNs = now;
      request.place = texts.keep(request.text);
      outstanding.put(request.cid(), request);
      fresh.add(request);
    }
    ask(fresh, now);
    if (overdue == null) {
      overdue = stack.loop().schedule(REPEAT_NS, this::lookForOverdue);
    }
  }

  private void ask(List<Request> requests, long now) {
    if (requests.isEmpty()) {
      return;
    }
    if (nextNumber > LAST_NUMBER) {
      nextNumber = 0;
    }
    int first = nextNumber;
    texts.clear();
    for (Request request : requests) {
      byNumber.remove(request.number);
      request.number = nextNumber++;
      request.askedNs = now;
      byNumber.put(request.number, request);
      texts.add(request.place);
    }
    try {
      Extensions.requestDelivery(fd, texts.pointer(), texts.count(), first);
    } catch (LastErrorException e) {
      XiaSocketException cause = Worker.failure("XrequestDelivery", e);
      requests.forEach(r -> end(r, cause));
    }
  }

  private void lookForOverdue() {
    overdue = null;
    if (closed || outstanding.isEmpty()) {
      return;
    }
    long now = stack.loop().nanoTime();
    List<Request> again = new ArrayList<>();
    for (Request request : List.copyOf(outstanding.values())) {
      if (now - request.sinceNs > GIVE_UP_NS) {
        end(
            request,
            new XiaSocketException(
                Kind.TIMED_OUT, "the chunk did not arrive", Map.of("dag", request.text)));
      } else if (now - request.askedNs > REPEAT_NS) {
        again.add(request);
      }
    }
    ask(again, now);
    overdue = stack.loop().schedule(REPEAT_NS, this::lookForOverdue);
  }

  /** Takes chunks as they come; a thread of its own. */
  private void take() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    IntByReference number = new IntByReference();
    while (!closed) {
      int length = Extensions.takeChunk(fd, buffer, number, TAKE_MS);
      int which = number.getValue();
      if (length > 0) {
        ByteBuffer data = spare.copyOf(buffer, length);
        stack.loop().execute(() -> arrived(which, data));
      } else if (length < 0 && which != NO_NUMBER) {
        stack.loop().execute(() -> refused(which, -length));
      } else if (length < 0 && !closed) {
        Worker.rest(); // the socket is being replaced, or Click has gone
      }
    }
  }

  private void arrived(int number, ByteBuffer data) {
    Request request = byNumber.get(number);
    if (request == null || closed) {
      spare.recycle(data); // cancelled
      return;
    }
    forget(request);
    flushSoon();
    int length = data.remaining();
    // the first one gets the buffer itself, so it comes last
    for (int i = request.handlers.size() - 1; i >= 0; i--) {
      request.handlers.get(i).onChunk(request.cid(), i == 0 ? data : spare.copyOf(data, length));
    }
  }

  private void refused(int number, int errno) {
    Request request = byNumber.get(number);
    if (request == null || closed) {
      return;
    }
    Kind kind =
        switch (errno) {
          case ENOENT -> Kind.NOT_FOUND;
          case ETIMEDOUT -> Kind.TIMED_OUT;
          default -> Kind.NODE;
        };
    end(
        request,
        new XiaSocketException(
            kind,
            kind == Kind.NOT_FOUND ? "nobody has the chunk" : "the chunk cannot be had",
            Map.of("dag", request.text, "errno", errno)));
    flushSoon();
  }

  private void end(Request request, XiaSocketException cause) {
    forget(request);
    fail(request, cause);
  }

  private void forget(Request request) {
    if (outstanding.remove(request.cid(), request)) {
      byNumber.remove(request.number);
      texts.drop(request.place);
    }
  }

  private void fail(Request request, XiaSocketException cause) {
    for (ChunkHandler handler : List.copyOf(request.handlers)) {
      if (!closed) {
        handler.onFailed(request.cid(), cause);
      }
    }
  }

  @Override
  public void cancel(Xid cid) {
    waiting.remove(cid);
    Request request = outstanding.get(cid);
    if (request != null) {
      forget(request);
      flushSoon();
    }
  }

  @Override
  public void recycle(ByteBuffer data) {
    spare.recycle(data);
  }

  @Override
  public void lost(XiaSocketException cause) {
    List<Request> all = new ArrayList<>(outstanding.values());
    all.addAll(waiting.values());
    waiting.clear();
    all.forEach(r -> end(r, cause));
  }

  @Override
  public void reopen() {
    int old = fd;
    fd = opener.getAsInt();
    stack.calls().closeSocket(old);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    stack.forget(this);
    waiting.clear();
    if (overdue != null) {
      overdue.cancel();
    }
    stack.calls().closeSocket(fd);
  }
}
