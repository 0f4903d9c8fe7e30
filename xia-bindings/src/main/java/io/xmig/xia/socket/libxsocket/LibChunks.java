package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * Fetches chunks through the prototype, which has to be asked whether they have arrived: one thread
 * requests, asks for a group of them at once and reads what is ready. It asks the oftener the more
 * arrives, see {@link FetchPace}.
 */
final class LibChunks implements ChunkSocket, Endpoint {
  /** Chunks asked about with one call. */
  private static final int GROUP = 32;

  /**
   * The prototype's library takes answers of up to 15,600 bytes, and the answer repeats every
   * address with its status.
   */
  private static final int LARGEST_ANSWER = 15_000;

  /** Protobuf and status around an address in the answer. */
  private static final int AROUND_TEXT = 24;

  private static final long GIVE_UP_NS = 20_000_000_000L;

  /** The prototype's library waits for ever for an answer that was lost. */
  private static final long CALL_LIMIT_NS = 10_000_000_000L;

  private static final long WATCH_NS = 1_000_000_000L;
  private static final int ETIMEDOUT = 110;

  /** Chunks read through one socket before it is replaced. */
  private static final int MAX_READ = 50_000;

  private static final int BUFFER_BYTES = 1 << 16;

  private final LibXsocketStack stack;
  private final IntSupplier opener;
  private final FetchPace pace = new FetchPace();
  private final StatusList texts = new StatusList(FetchPace.LARGEST);
  private final SpareBuffers spare = new SpareBuffers(BUFFER_BYTES);

  /** Guards the two maps; notified when something is to be done. */
  private final Object lock = new Object();

  private final Map<Xid, Request> waiting = new LinkedHashMap<>();
  private final Map<Xid, Request> outstanding = new LinkedHashMap<>();

  /** Reading a chunk twice through one socket ends the prototype's Click: it gets a new socket. */
  private final Set<Xid> readHere = new HashSet<>();

  /** Where in the outstanding ones the next group begins. */
  private int next;

  private volatile int fd;
  private volatile boolean reopened;
  private volatile boolean closed;

  /** When the call that is being made was begun. */
  private volatile long callSinceNs;

  private volatile boolean calling;

  /** Its handlers are used on the loop only, once the request is made. */
  private static final class Request extends ChunkRequest {
    int asked;
    boolean cancelled;

    Request(Dag dag, ChunkHandler handler) {
      super(dag, handler);
    }
  }

  LibChunks(LibXsocketStack stack, IntSupplier opener) {
    this.stack = stack;
    this.opener = opener;
    this.fd = opener.getAsInt();
    Worker.start("chunks-" + fd, this::work);
    stack.loop().schedule(WATCH_NS, this::watch);
  }

  /** Makes a call return that has lost its answer; the socket is replaced then. */
  private void watch() {
    if (closed) {
      return;
    }
    if (calling && stack.loop().nanoTime() - callSinceNs > CALL_LIMIT_NS) {
      reopened = true;
      Worker.interrupt(fd);
    }
    stack.loop().schedule(WATCH_NS, this::watch);
  }

  private int call(IntSupplier function) {
    callSinceNs = stack.loop().nanoTime();
    calling = true;
    try {
      return function.getAsInt();
    } finally {
      calling = false;
    }
  }

  @Override
  public void request(Dag chunk, int length, ChunkHandler handler) {
    Request request = new Request(chunk, handler);
    XiaSocketException refusal = request.refusal();
    if (refusal != null) {
      fail(request, refusal);
      return;
    }
    synchronized (lock) {
      Request known = waiting.get(request.cid());
      if (known == null) {
        known = outstanding.get(request.cid());
      }
      if (known != null && !known.cancelled) {
        known.handlers.add(handler);
        return;
      }
      waiting.put(request.cid(), request);
      lock.notifyAll();
    }
  }

  @Override
  public void cancel(Xid cid) {
    synchronized (lock) {
      Request queued = waiting.remove(cid);
      Request request = queued == null ? outstanding.get(cid) : queued;
      if (request != null) {
        request.cancelled = true;
      }
    }
  }

  @Override
  public void recycle(ByteBuffer data) {
    spare.recycle(data);
  }

  private void work() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    while (!closed) {
      try {
        fetch(buffer);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (LastErrorException e) {
        if (e.getErrorCode() == ETIMEDOUT) {
          reopened = true; // an answer was lost: what is outstanding is asked for again
        } else if (!closed && !reopened) {
          failAll(Worker.failure("a chunk call", e));
          Worker.rest();
        }
      }
    }
  }

  private void fetch(ByteBuffer buffer) throws InterruptedException {
    while (!closed) {
      takeNew();
      if (closed) {
        return;
      }
      List<Request> ready = ask();
      for (Request request : ready) {
        read(request, buffer);
      }
      long pause = pace.pauseNs(!ready.isEmpty());
      if (pause > 0) {
        Thread.sleep(pause / 1_000_000, (int) (pause % 1_000_000));
      }
    }
  }

  private void failAll(XiaSocketException cause) {
    synchronized (lock) {
      List<Request> all = new ArrayList<>(outstanding.values());
      all.forEach(this::drop);
      all.addAll(waiting.values());
      waiting.clear();
      all.forEach(r -> fail(r, cause));
    }
  }

  @Override
  public void lost(XiaSocketException cause) {
    failAll(cause);
    Worker.interrupt(fd); // the prototype's library waits for the answer of a Click that is gone
  }

  @Override
  public void reopen() {
    reopened = true;
  }

  /** On the thread that uses the socket, so that no call is under way on the old one. */
  private void replaceSocket() {
    int old = fd;
    fd = opener.getAsInt();
    reopened = false;
    readHere.clear();
    stack.calls().closeSocket(old);
    synchronized (lock) {
      outstanding.values().forEach(r -> r.asked = 0);
    }
  }

  /** Moves requests into the window and asks for them; waits while there is nothing to do. */
  private void takeNew() throws InterruptedException {
    boolean again = false;
    synchronized (lock) {
      while (!closed && waiting.isEmpty() && outstanding.isEmpty()) {
        lock.wait();
      }
      long now = stack.loop().nanoTime();
      for (Request request : List.copyOf(outstanding.values())) {
        if (request.cancelled) {
          drop(request);
        } else if (now - request.sinceNs > GIVE_UP_NS) {
          giveUp(request, Kind.TIMED_OUT, "the chunk did not arrive");
        }
      }
      Iterator<Request> queued = waiting.values().iterator();
      while (queued.hasNext() && outstanding.size() < pace.window()) {
        Request request = queued.next();
        queued.remove();
        request.sinceNs = now;
        request.place = texts.keep(request.text);
        outstanding.put(request.cid(), request);
        again |= readHere.contains(request.cid());
      }
    }
    if (reopened || again || readHere.size() > MAX_READ) {
      replaceSocket();
    }
    requestDue();
  }

  /** Requests what was not requested yet, or so long ago that it must have been lost. */
  private void requestDue() {
    long now = stack.loop().nanoTime();
    texts.clear();
    synchronized (lock) {
      for (Request request : outstanding.values()) {
        boolean late =
            request.asked > 0 && now - request.askedNs > pace.repeatAfterNs(request.asked);
        if (request.asked == 0 || late) {
          request.askedNs = now;
          request.asked++;
          texts.add(request.place);
        }
        if (late) {
          pace.missed(now);
        }
      }
    }
    if (texts.count() > 0) {
      Xsocket.XrequestChunks(fd, texts.pointer(), texts.count());
    }
  }

  /** The next of the outstanding ones to ask about: the oldest, or further ones if it was vain. */
  private List<Request> group() {
    List<Request> group = new ArrayList<>(GROUP);
    synchronized (lock) {
      next = next >= outstanding.size() ? 0 : next;
      int room = LARGEST_ANSWER;
      Iterator<Request> all = outstanding.values().iterator();
      for (int i = 0; all.hasNext() && group.size() < GROUP; i++) {
        Request request = all.next();
        room -= i < next ? 0 : request.text.length() + AROUND_TEXT;
        if (i >= next && (room >= 0 || group.isEmpty())) {
          group.add(request);
        }
      }
    }
    return group;
  }

  private List<Request> ask() {
    List<Request> ready = new ArrayList<>();
    List<Request> group = group();
    if (group.isEmpty()) {
      return ready;
    }
    texts.clear();
    group.forEach(r -> texts.add(r.place));
    call(() -> Xsocket.XgetChunkStatuses(fd, texts.pointer(), texts.count()));
    long now = stack.loop().nanoTime();
    for (int i = 0; i < group.size(); i++) {
      Request request = group.get(i);
      int status = texts.status(i);
      if ((status & (Xsocket.READY_TO_READ | Xsocket.INVALID_HASH)) != 0) {
        ready.add(request);
        pace.arrived(request.asked == 1 ? now - request.askedNs : -1);
      } else if ((status & Xsocket.REQUEST_FAILED) != 0) {
        giveUp(request, Kind.NOT_FOUND, "nobody has the chunk");
      }
    }
    next = ready.isEmpty() ? next + group.size() : 0;
    return ready;
  }

  private void giveUp(Request request, Kind kind, String why) {
    if (drop(request)) {
      fail(request, new XiaSocketException(kind, why, Map.of("dag", request.text)));
    }
  }

  private void read(Request request, ByteBuffer buffer) {
    int length =
        call(
            () ->
                Xsocket.XreadChunk(
                    fd,
                    buffer,
                    buffer.capacity(),
                    0,
                    texts.text(request.place),
                    texts.length(request.place) + 1L));
    readHere.add(request.cid());
    if (!drop(request)) {
      return; // given up meanwhile
    }
    ByteBuffer data = spare.copyOf(buffer, length);
    stack
        .loop()
        .execute(
            () -> {
              // the first one gets the buffer itself, so it comes last
              for (int i = request.handlers.size() - 1; i >= 0; i--) {
                ByteBuffer own = i == 0 ? data : spare.copyOf(data, length);
                if (!closed && !request.cancelled) {
                  request.handlers.get(i).onChunk(request.cid(), own);
                }
              }
            });
  }

  /** Ends a request; false if it has ended before. */
  private boolean drop(Request request) {
    synchronized (lock) {
      if (!outstanding.remove(request.cid(), request)) {
        return false;
      }
      texts.drop(request.place);
      return true;
    }
  }

  private void fail(Request request, XiaSocketException cause) {
    stack
        .loop()
        .execute(
            () -> {
              for (int i = 0; i < request.handlers.size() && !closed && !request.cancelled; i++) {
                request.handlers.get(i).onFailed(request.cid(), cause);
              }
            });
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    stack.forget(this);
    synchronized (lock) {
      waiting.clear();
      lock.notifyAll();
    }
    stack.calls().closeSocket(fd);
  }
}
