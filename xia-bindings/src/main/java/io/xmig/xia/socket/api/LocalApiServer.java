package io.xmig.xia.socket.api;

import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the local protocol on UDP: requests come to the node's API port on loopback, answers leave
 * from another port, as programs linked with the prototype's library expect.
 *
 * @threading one thread reads and hands over to the stack's loop; {@link #close} from any thread
 */
public final class LocalApiServer implements AutoCloseable {
  private static final int BUFFER_BYTES = 4 << 20;
  private static final int CLOSE_MS = 1000;
  private static final Path UDP_TABLE = Path.of("/proc/net/udp");
  private static final Logger LOG = LoggerFactory.getLogger(LocalApiServer.class);

  private final XiaStack stack;
  private final DatagramChannel requests;
  private final DatagramChannel answers;
  private final LocalApi api;
  private final Thread reader = new Thread(this::read);
  private final InetAddress loopback = InetAddress.getLoopbackAddress();

  private LocalApiServer(
      XiaStack stack, boolean dualStack, DatagramChannel requests, DatagramChannel answers)
      throws IOException {
    // the kernel counts its own structures too, and with large messages they are half of it
    long buffer = requests.getOption(StandardSocketOptions.SO_RCVBUF) / 2;
    this.stack = stack;
    this.requests = requests;
    this.answers = answers;
    this.api =
        new LocalApi(
            stack,
            dualStack,
            new LocalApi.Output() {
              @Override
              public void send(int port, ByteBuffer message) {
                answer(port, message);
              }

              @Override
              public int unread(int port) {
                return unreadBytes(port);
              }

              @Override
              public Set<Integer> gone(Set<Integer> ports) {
                return goneOf(ports, port());
              }

              @Override
              public long buffer() {
                return buffer;
              }
            });
  }

  /**
   * Starts serving programs on a UDP port of the loopback interface.
   *
   * @param port the API port, as in the third argument of {@code XIAEndHost}; 0 chooses one
   * @throws IOException when the port is taken
   */
  public static LocalApiServer start(XiaStack stack, int port, boolean dualStack)
      throws IOException {
    DatagramChannel requests = DatagramChannel.open(StandardProtocolFamily.INET);
    DatagramChannel answers = DatagramChannel.open(StandardProtocolFamily.INET);
    try {
      InetAddress loopback = InetAddress.getLoopbackAddress();
      requests.setOption(StandardSocketOptions.SO_RCVBUF, BUFFER_BYTES);
      requests.bind(new InetSocketAddress(loopback, port));
      answers.bind(new InetSocketAddress(loopback, 0));
    } catch (IOException e) {
      requests.close();
      answers.close();
      throw new IOException("cannot serve programs on UDP port " + port + ": " + e.getMessage(), e);
    }
    LocalApiServer server = new LocalApiServer(stack, dualStack, requests, answers);
    server.reader.setName("local-api-" + server.port());
    server.reader.setDaemon(true);
    server.reader.start();
    return server;
  }

  /** The UDP port that programs send to. */
  public int port() {
    return requests.socket().getLocalPort();
  }

  private void read() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(LocalApi.MAX_DATAGRAM);
    try {
      while (requests.isOpen()) {
        buffer.clear();
        InetSocketAddress from = (InetSocketAddress) requests.receive(buffer);
        if (from != null && from.getAddress().isLoopbackAddress()) {
          ByteBuffer copy = ByteBuffer.allocate(buffer.flip().remaining()).put(buffer).flip();
          stack.loop().execute(() -> api.datagram(from.getPort(), copy));
        }
      }
    } catch (AsynchronousCloseException e) {
      LOG.debug("local api closed");
    } catch (IOException e) {
      LOG.error("local api: reading failed", e);
    }
  }

  private void answer(int port, ByteBuffer message) {
    try {
      answers.send(message, new InetSocketAddress(loopback, port));
    } catch (IOException e) {
      LOG.debug("local api: port {} is gone: {}", port, e.getMessage());
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

  @Override
  public void close() {
    if (stack.loop().inLoop()) {
      api.close(); // the loop may be ending and run nothing more
    } else {
      stack.loop().execute(api::close);
    }
    try {
      requests.close();
      answers.close();
      reader.join(CLOSE_MS); // its port is free only then
    } catch (IOException e) {
      LOG.debug("local api: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
