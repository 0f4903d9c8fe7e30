package io.xmig.control.pipe;

import io.xmig.chunk.cut.ByteInput;
import io.xmig.xia.socket.EventLoop;
import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what blocks, usually QEMU's stream, in a thread of its own, straight into the buffers
 * given.
 *
 * @threading methods on the loop
 */
public final class BlockingInput implements ByteInput {
  private static final Logger log = LoggerFactory.getLogger(BlockingInput.class);

  private final Source source;
  private final EventLoop loop;
  private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>(1);
  private final Thread reader;

  /** What is read; interrupting the reading thread ends the read. */
  public interface Source extends Closeable {
    /** Waits for the first byte, then takes what else is there; −1 at the end. */
    int read(ByteBuffer target) throws IOException;
  }

  /** Reads {@code source}, which is closed together with this input. */
  public BlockingInput(Source source, EventLoop loop) {
    this.source = source;
    this.loop = loop;
    reader = new Thread(this::serve, "input");
    reader.setDaemon(true);
    reader.start();
  }

  /** A file or pipe. */
  public static BlockingInput of(FileInputStream file, EventLoop loop) {
    return new BlockingInput(new FileSource(file), loop);
  }

  /** A connected socket in blocking mode. */
  public static BlockingInput of(SocketChannel socket, EventLoop loop) {
    return new BlockingInput(
        new Source() {
          @Override
          public int read(ByteBuffer target) throws IOException {
            return socket.read(target);
          }

          @Override
          public void close() throws IOException {
            socket.close();
          }
        },
        loop);
  }

  private record FileSource(FileInputStream file) implements Source {
    @Override
    public int read(ByteBuffer target) throws IOException {
      FileChannel channel = file.getChannel();
      int count = channel.read(target);
      while (count > 0 && target.hasRemaining() && file.available() > 0) {
        int more = channel.read(target);
        if (more < 0) {
          break; // the next read will say so
        }
        count += more;
      }
      return count;
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  private record Request(ByteBuffer target, ReadHandler handler) {}

  @Override
  public void read(ByteBuffer target, ReadHandler handler) {
    requests.add(new Request(target, handler));
  }

  private void serve() {
    try (source) {
      while (true) {
        Request request = requests.take();
        try {
          int count = source.read(request.target());
          loop.execute(() -> request.handler().onRead(count));
        } catch (IOException e) {
          loop.execute(() -> request.handler().onFailed(e));
        }
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      log.debug("the input cannot be closed: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    reader.interrupt();
  }
}
