package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * Fetches chunks through a library that has to be asked whether they have arrived: one thread
 * requests, polls for the whole window at once and reads what is ready. It polls the faster the
 * more arrives.
 */
final class LibChunks implements ChunkSocket, Endpoint {
  /** Chunks outstanding at once; a window of two megabytes of full chunks. */
  private static final int WINDOW = 128;

  private static final long SHORTEST_POLL_NS = 100_000;
  private static final long LONGEST_POLL_NS = 5_000_000;

  /**
   * The prototype sends a request once; a chunk that is not there after this is requested again.
   */
  private static final long REPEAT_NS = 1_000_000_000L;

  private static final long GIVE_UP_NS = 20_000_000_000L;

  /** Chunks read through one socket before it is replaced. */
  private static final int MAX_READ = 50_000;

  private final LibXsocketStack stack;
  private final IntSupplier opener;
  private final Map<Xid, Request> waiting = new LinkedHashMap<>();
  private final Map<Xid, Request> outstanding = new LinkedHashMap<>();

  /** Reading a chunk twice through one socket ends the prototype's Click: it gets a new socket. */
  private final Set<Xid> readHere = new HashSet<>();

  private volatile int fd;
  private volatile boolean reopened;
  private volatile boolean closed;

  private static final class Request {
    final Dag dag;
    final String text;
    final ChunkHandler handler;
    long askedNs;
    long sinceNs;
    boolean cancelled;

    Request(Dag dag, ChunkHandler handler) {
      this.dag = dag;
      this.text = dag.toString();
      this.handler = handler;
    }
  }

  LibChunks(LibXsocketStack stack, IntSupplier opener) {
    this.stack = stack;
    this.opener = opener;
    this.fd = opener.getAsInt();
    Worker.start("chunks-" + fd, this::work);
  }

  @Override
  public void request(Dag chunk, int length, ChunkHandler handler) {
    synchronized (waiting) {
      waiting.put(chunk.intent(), new Request(chunk, handler));
      waiting.notifyAll();
    }
  }

  @Override
  public void cancel(Xid cid) {
    synchronized (waiting) {
      waiting.remove(cid);
      Request request = outstanding.get(cid);
      if (request != null) {
        request.cancelled = true;
      }
    }
  }

  private void work() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
    while (!closed) {
      try {
        fetch(buffer);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (LastErrorException e) {
        if (!closed && !reopened) {
          failAll(Worker.failure("a chunk call", e));
          Worker.rest();
        }
      }
    }
  }

  private void fetch(ByteBuffer buffer) throws InterruptedException {
    long pause = SHORTEST_POLL_NS;
    while (!closed) {
      takeNew();
      if (closed) {
        return;
      }
      List<Request> ready = poll();
      for (Request request : ready) {
        read(request, buffer);
      }
      pause = ready.isEmpty() ? Math.min(LONGEST_POLL_NS, pause * 2) : SHORTEST_POLL_NS;
      if (ready.isEmpty()) {
        Thread.sleep(pause / 1_000_000, (int) (pause % 1_000_000));
      }
    }
  }

  private void failAll(XiaSocketException cause) {
    synchronized (waiting) {
      List<Request> all = new ArrayList<>(outstanding.values());
      all.addAll(waiting.values());
      outstanding.clear();
      waiting.clear();
      all.forEach(r -> fail(r, cause));
    }
  }

  @Override
  public void lost(XiaSocketException cause) {
    failAll(cause);
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
    synchronized (waiting) {
      outstanding.values().forEach(r -> r.askedNs = 0);
    }
  }

  /** Moves requests into the window and asks for them; waits while there is nothing to do. */
  private void takeNew() throws InterruptedException {
    List<Request> fresh = new ArrayList<>();
    long now = stack.loop().nanoTime();
    boolean again = false;
    synchronized (waiting) {
      while (!closed && waiting.isEmpty() && outstanding.isEmpty()) {
        waiting.wait();
      }
      Iterator<Map.Entry<Xid, Request>> next = waiting.entrySet().iterator();
      while (next.hasNext() && outstanding.size() < WINDOW) {
        Map.Entry<Xid, Request> entry = next.next();
        next.remove();
        entry.getValue().sinceNs = now;
        outstanding.put(entry.getKey(), entry.getValue());
        again |= readHere.contains(entry.getKey());
      }
    }
    if (reopened || again || readHere.size() > MAX_READ) {
      replaceSocket();
    }
    synchronized (waiting) {
      for (Request request : outstanding.values()) {
        if (request.askedNs == 0 || now - request.askedNs > REPEAT_NS) {
          request.askedNs = now;
          fresh.add(request);
        }
      }
    }
    if (!fresh.isEmpty()) {
      try (StatusList list = new StatusList(fresh.stream().map(r -> r.text).toList())) {
        Xsocket.XrequestChunks(fd, list.pointer(), fresh.size());
      }
    }
  }

  private List<Request> poll() {
    List<Request> asked;
    synchronized (waiting) {
      outstanding.values().removeIf(r -> r.cancelled);
      asked = new ArrayList<>(outstanding.values());
    }
    List<Request> ready = new ArrayList<>();
    if (asked.isEmpty()) {
      return ready;
    }
    long now = stack.loop().nanoTime();
    try (StatusList list = new StatusList(asked.stream().map(r -> r.text).toList())) {
      Xsocket.XgetChunkStatuses(fd, list.pointer(), asked.size());
      for (int i = 0; i < asked.size(); i++) {
        Request request = asked.get(i);
        int status = list.status(i);
        if ((status & (Xsocket.READY_TO_READ | Xsocket.INVALID_HASH)) != 0) {
          ready.add(request);
        } else if ((status & Xsocket.REQUEST_FAILED) != 0) {
          drop(request);
          fail(
              request,
              new XiaSocketException(
                  Kind.NOT_FOUND, "nobody has the chunk", Map.of("dag", request.text)));
        } else if (now - request.sinceNs > GIVE_UP_NS) {
          drop(request);
          fail(
              request,
              new XiaSocketException(
                  Kind.TIMED_OUT, "the chunk did not arrive", Map.of("dag", request.text)));
        }
      }
    }
    return ready;
  }

  private void read(Request request, ByteBuffer buffer) {
    int length =
        Xsocket.XreadChunk(
            fd, buffer, buffer.capacity(), 0, request.text, request.text.length() + 1L);
    ByteBuffer data = ByteBuffer.allocate(length).put(0, buffer, 0, length);
    drop(request);
    if (!stack.hasFlowControl()) {
      readHere.add(request.dag.intent());
    }
    stack
        .loop()
        .execute(
            () -> {
              if (!closed && !request.cancelled) {
                request.handler.onChunk(request.dag.intent(), data);
              }
            });
  }

  private void drop(Request request) {
    synchronized (waiting) {
      outstanding.remove(request.dag.intent(), request);
    }
  }

  private void fail(Request request, XiaSocketException cause) {
    stack
        .loop()
        .execute(
            () -> {
              if (!closed && !request.cancelled) {
                request.handler.onFailed(request.dag.intent(), cause);
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
    synchronized (waiting) {
      waiting.clear();
      waiting.notifyAll();
    }
    stack.calls().closeSocket(fd);
  }

  /** An array of {@code ChunkStatus} with its texts, in one block of native memory. */
  private static final class StatusList implements AutoCloseable {
    private final Memory memory;

    StatusList(List<String> dags) {
      int head = dags.size() * Structs.ChunkStatus.SIZE;
      int length = head;
      for (String dag : dags) {
        length += dag.length() + 1;
      }
      memory = new Memory(length);
      memory.clear(head);
      int at = head;
      for (int i = 0; i < dags.size(); i++) {
        byte[] text = dags.get(i).getBytes(StandardCharsets.US_ASCII);
        memory.write(at, text, 0, text.length);
        memory.setByte(at + text.length, (byte) 0);
        long entry = (long) i * Structs.ChunkStatus.SIZE;
        memory.setPointer(entry + Structs.ChunkStatus.CID, memory.share(at));
        memory.setLong(entry + Structs.ChunkStatus.CID_LEN, text.length + 1L);
        at += text.length + 1;
      }
    }

    com.sun.jna.Pointer pointer() {
      return memory;
    }

    int status(int i) {
      return memory.getInt((long) i * Structs.ChunkStatus.SIZE + Structs.ChunkStatus.STATUS);
    }

    @Override
    public void close() {
      memory.close();
    }
  }
}
