package io.xmig.control.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The other end of a control connection, played by the test line by line. */
final class FakeQmp implements AutoCloseable {
  static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7},"
          + " \"package\": \"\"}, \"capabilities\": [\"oob\"]}}";

  private final ServerSocketChannel server;
  private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
  private final CompletableFuture<SocketChannel> client = new CompletableFuture<>();
  private final Thread thread;

  /**
   * Listens on {@code socket}, greets with {@code greeting} and accepts qmp_capabilities itself.
   */
  FakeQmp(Path socket, String greeting) throws IOException {
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    thread = new Thread(() -> serve(greeting), "fake-qmp");
    thread.start();
  }

  private void serve(String greeting) {
    try (SocketChannel channel = server.accept()) {
      client.complete(channel);
      write(greeting + "\r\n");
      BufferedReader lines =
          new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.contains("\"qmp_capabilities\"")) {
          write("{\"return\": {}, \"id\": \"" + id(line) + "\"}\r\n");
        } else {
          received.add(line);
        }
      }
    } catch (IOException e) {
      client.completeExceptionally(e);
    }
  }

  /** The next command of the client. */
  String next() throws InterruptedException {
    String line = received.poll(60, TimeUnit.SECONDS);
    if (line == null) {
      throw new AssertionError("no command within 60 s");
    }
    return line;
  }

  static String id(String command) {
    return command.replaceAll(".*\"id\":\"(\\d+)\".*", "$1");
  }

  void write(String text) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
      SocketChannel channel = client.join();
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void answer(String command, String result) {
    write("{\"return\": " + result + ", \"id\": \"" + id(command) + "\"}\r\n");
  }

  @Override
  public void close() throws IOException {
    server.close();
    @Nullable SocketChannel channel =
        client.isCompletedExceptionally() ? null : client.getNow(null);
    if (channel != null) {
      channel.close();
    }
    try {
      thread.join(5000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
