package io.xmig.testbed.evaluate;

import io.xmig.control.host.XmigPipes;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.testbed.run.RunException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random bytes from one host to another through resident pipes, with this program in the place of
 * both QEMUs.
 *
 * @threading {@link #carry} on one thread; what arrives is read by another
 */
final class RawStream {
  private static final int BLOCK = 1 << 20;
  private static final int PAGE = 4096;
  private static final Duration END = Duration.ofSeconds(20);

  private final Path directory;
  private final String id;
  private final MigrationPipe receiver;
  private final MigrationPipe sender;
  private final long mostBytes;
  private final Duration most;

  /**
   * @param directory for its files
   * @param id its name on both hosts
   * @param from pipes of one host
   * @param to pipes of the other
   * @param mostBytes it ends once it has carried these
   * @param most and after this time
   */
  RawStream(
      Path directory, String id, XmigPipes from, XmigPipes to, long mostBytes, Duration most) {
    this.directory = directory;
    this.id = id;
    this.receiver = to.receiver(directory, id);
    this.sender = from.sender(directory, id, to.address(id));
    this.mostBytes = mostBytes;
    this.most = most;
  }

  /** Where the receiver reports what it has written. */
  Path report() {
    return directory.resolve("receive-" + id + ".jsonl");
  }

  /**
   * From beginning to end.
   *
   * @return bytes carried
   * @throws RunException if they do not arrive
   */
  long carry() throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      receiver.prepare(); // removes what is where QEMU is to listen
      server.bind(socketOf(receiver));
      Thread reader = new Thread(() -> discard(server), id);
      reader.setDaemon(true);
      reader.start();
      sender.prepare();
      long sent;
      try (SocketChannel source = SocketChannel.open(socketOf(sender))) {
        sent = fill(source);
      } catch (IOException e) {
        throw new RunException("a stream broke off " + words(), e);
      }
      awaitEnd();
      return sent;
    } finally {
      sender.kill();
      receiver.kill();
    }
  }

  private static UnixDomainSocketAddress socketOf(MigrationPipe pipe) {
    return UnixDomainSocketAddress.of(pipe.uri().substring("unix:".length()));
  }

  /** No two pages are the same: a chunk that comes again would be found in a cache. */
  private long fill(SocketChannel source) throws IOException {
    byte[] bytes = new byte[BLOCK];
    new SplittableRandom(id.hashCode()).nextBytes(bytes);
    ByteBuffer block = ByteBuffer.allocateDirect(BLOCK).put(bytes);
    long deadline = System.nanoTime() + most.toNanos();
    long sent = 0;
    while (sent < mostBytes && System.nanoTime() < deadline) {
      for (int page = 0; page < BLOCK; page += PAGE) {
        block.putLong(page, sent + page);
      }
      for (block.clear(); block.hasRemaining(); ) {
        sent += source.write(block);
      }
    }
    return sent;
  }

  private static void discard(ServerSocketChannel server) {
    ByteBuffer part = ByteBuffer.allocateDirect(BLOCK);
    try (SocketChannel stream = server.accept()) {
      while (stream.read(part) >= 0) {
        part.clear(); // what comes is of no interest
      }
    } catch (IOException e) {
      return; // the exit status of the pipe says it
    }
  }

  private void awaitEnd() {
    long deadline = System.nanoTime() + END.toNanos();
    while (sender.exitStatus().isEmpty() || receiver.exitStatus().isEmpty()) {
      if (System.nanoTime() > deadline) {
        throw new RunException("a stream does not end", Map.of("id", id));
      }
      Stage.pause(50);
    }
    if (sender.exitStatus().getAsInt() != 0 || receiver.exitStatus().getAsInt() != 0) {
      throw new RunException("a stream did not arrive", words());
    }
  }

  private Map<String, String> words() {
    return Map.of("send", sender.lastWords(), "receive", receiver.lastWords());
  }
}
