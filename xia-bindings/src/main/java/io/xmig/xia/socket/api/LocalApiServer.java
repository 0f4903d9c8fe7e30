package io.xmig.xia.socket.api;

import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.MessageBatch;
import io.xmig.xia.link.posix.NativeBuffer;
import io.xmig.xia.link.posix.PosixException;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.SocketAddress;
import io.xmig.xia.link.posix.Sockets;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the local protocol on UDP: requests come to the node's API port on loopback, answers leave
 * from another port, as programs linked with the prototype's library expect. The node's own loop
 * reads them, so that a call costs a program one change of threads each way.
 *
 * @threading {@link #start} and {@link #close} from any thread, the rest on the loop
 */
public final class LocalApiServer implements AutoCloseable {
  private static final int BUFFER_BYTES = 4 << 20;
  private static final int LOOPBACK = 0x7f000001;
  private static final int CLOSE_MS = 1000;

  /** Datagrams taken with one call, and such calls before links get their turn. */
  private static final int BATCH = 8;

  private static final int BATCHES_PER_TURN = 4;
  private static final int SLOT_BYTES = 64 * 1024;
  private static final Path UDP_TABLE = Path.of("/proc/net/udp");
  private static final Logger LOG = LoggerFactory.getLogger(LocalApiServer.class);

  private final NodeLoop loop;
  private final Socket requests;
  private final Socket answers;
  private final int port;
  private final LocalApi api;
  private final MessageBatch received = new MessageBatch(BATCH, true);
  private final NativeBuffer arena = new NativeBuffer(BATCH * SLOT_BYTES);
  private final MessageBatch sent = new MessageBatch(1, true);
  private final NodeLoop.Registration registration;
  private @Nullable ByteBuffer message;
  private NativeBuffer messageMemory = arena;
  private boolean closed;

  private LocalApiServer(
      NodeLoop loop, XiaStack stack, boolean dualStack, Socket requests, Socket answers) {
    this.loop = loop;
    this.requests = requests;
    this.answers = answers;
    this.port = requests.localPort();
    // the kernel counts its own structures too, and with large messages they are half of it
    long buffer = requests.receiveBuffer() / 4;
    this.api =
        new LocalApi(
            stack,
            dualStack,
            new LocalApi.Output() {
              @Override
              public void send(int to, ByteBuffer answer) {
                answer(to, answer);
              }

              @Override
              public int unread(int of) {
                return unreadBytes(of);
              }

              @Override
              public Set<Integer> gone(Set<Integer> ports) {
                return goneOf(ports, port);
              }

              @Override
              public long buffer() {
                return buffer;
              }
            });
    for (int i = 0; i < BATCH; i++) {
      received.set(i, arena, i * SLOT_BYTES, SLOT_BYTES);
    }
    this.registration = loop.register(requests, Epoll.IN, this::ready);
  }

  /**
   * Starts serving programs on a UDP port of the loopback interface.
   *
   * @param loop of the node behind the stack
   * @param port the API port, as in the third argument of {@code XIAEndHost}; 0 chooses one
   * @throws IOException when the port is taken
   */
  public static LocalApiServer start(NodeLoop loop, XiaStack stack, int port, boolean dualStack)
      throws IOException {
    if (loop.inLoop()) {
      return open(loop, stack, port, dualStack);
    }
    try {
      return loop.call(() -> open(loop, stack, port, dualStack)).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException refused) {
        throw refused;
      }
      throw new IOException("cannot serve programs on UDP port " + port, e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted before UDP port " + port + " was served", e);
    }
  }

  private static LocalApiServer open(NodeLoop loop, XiaStack stack, int port, boolean dualStack)
      throws IOException {
    Socket requests = Sockets.udp();
    Socket answers = Sockets.udp();
    try {
      requests.buffers(1 << 16, BUFFER_BYTES);
      requests.bind(loopback(port));
      answers.bind(loopback(0));
    } catch (PosixException e) {
      requests.close();
      answers.close();
      throw new IOException("cannot serve programs on UDP port " + port + ": " + e.getMessage(), e);
    }
    return new LocalApiServer(loop, stack, dualStack, requests, answers);
  }

  private static SocketAddress loopback(int port) {
    return SocketAddress.inet((Inet4Address) InetAddress.getLoopbackAddress(), port);
  }

  /** The UDP port that programs send to. */
  public int port() {
    return port;
  }

  private void ready(int events) {
    if ((events & Epoll.ERROR) != 0) {
      LOG.debug("local api: error {} on port {}", requests.takeError(), port);
    }
    for (int round = 0; round < BATCHES_PER_TURN && !closed; round++) {
      int count = requests.receive(received, BATCH);
      if (count < 0 && count != -Errno.EAGAIN && count != -Errno.EINTR) {
        LOG.warn("local api: reading failed with error {}", -count);
      }
      for (int i = 0; i < count && !closed; i++) {
        deliver(i);
      }
      if (count < BATCH) {
        return;
      }
    }
  }

  private void deliver(int i) {
    int length = received.length(i);
    ByteBuffer copy = ByteBuffer.allocate(length).put(0, arena.bytes(), i * SLOT_BYTES, length);
    int from = received.senderPort(i);
    try {
      api.datagram(from, copy);
    } catch (RuntimeException e) {
      LOG.error("local api: a message of port {} failed", from, e);
    }
  }

  private void answer(int to, ByteBuffer answer) {
    if (answer != message) { // the same one every time
      message = answer;
      messageMemory = NativeBuffer.of(answer);
    }
    sent.set(0, messageMemory, answer.position(), answer.remaining());
    sent.toIpv4(0, LOOPBACK, to);
    int result = answers.send(sent, 0, 1);
    if (result < 0) {
      LOG.debug("local api: no way to port {}: error {}", to, -result);
    }
  }

  /** The second column is the local address: {@code 0100007F:05DC}. */
  private static Set<Integer> goneOf(Set<Integer> ports, int own) {
    Set<Integer> gone = new HashSet<>(ports);
    gone.add(own);
    try {
      for (String line : Files.readAllLines(UDP_TABLE, StandardCharsets.US_ASCII)) {
        String[] columns = line.trim().split("\\s+");
        int colon = columns.length > 1 ? columns[1].indexOf(':') : -1;
        if (colon > 0) {
          gone.remove(Integer.parseInt(columns[1].substring(colon + 1), 16));
        }
      }
      return gone.contains(own) ? Set.of() : gone; // a table without us is not the whole one
    } catch (IOException | NumberFormatException e) {
      LOG.debug("local api: no view of the kernel's sockets: {}", e.getMessage());
      return Set.of();
    }
  }

  /** The kernel's receive queue of a UDP socket: the fifth column, {@code tx:rx} in hexadecimal. */
  private static int unreadBytes(int port) {
    try {
      String wanted = String.format(":%04X", port);
      for (String line : Files.readAllLines(UDP_TABLE, StandardCharsets.US_ASCII)) {
        String[] columns = line.trim().split("\\s+");
        if (columns.length > 4 && columns[1].endsWith(wanted)) {
          return Integer.parseUnsignedInt(columns[4].substring(columns[4].indexOf(':') + 1), 16);
        }
      }
    } catch (IOException | NumberFormatException e) {
      LOG.debug("local api: no view of the kernel's queues: {}", e.getMessage());
    }
    return 0;
  }

  /** Ends serving; the port is free when this returns. */
  @Override
  public void close() {
    if (loop.inLoop()) {
      closeNow();
      return;
    }
    try {
      loop.call(
              () -> {
                closeNow();
                return null;
              })
          .get(CLOSE_MS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("local api: the loop has ended, and with it this", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void closeNow() {
    if (closed) {
      return;
    }
    closed = true;
    api.close();
    registration.cancel();
    requests.close();
    answers.close();
  }
}
