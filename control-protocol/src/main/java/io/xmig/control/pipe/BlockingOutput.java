package io.xmig.control.pipe;

import io.xmig.chunk.order.ByteOutput;
import io.xmig.xia.socket.EventLoop;
import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what blocks, usually QEMU's stream, in a thread of its own.
 *
 * @threading methods on the loop
 */
public final class BlockingOutput implements ByteOutput {
  private static final Logger log = LoggerFactory.getLogger(BlockingOutput.class);

  private final Sink sink;
  private final EventLoop loop;
  private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>();

  /** What is written. */
  public interface Sink extends Closeable {
    /** Where bytes go; may wait until it is there. */
    GatheringByteChannel channel() throws IOException;
  }

  /** Writes {@code sink}, which is closed together with this output. */
  public BlockingOutput(Sink sink, EventLoop loop) {
    this.sink = sink;
    this.loop = loop;
    Thread writer = new Thread(this::serve, "output");
    writer.setDaemon(true);
    writer.start();
  }

  /** A file or pipe. */
  public static BlockingOutput of(FileOutputStream file, EventLoop loop) {
    return new BlockingOutput(
        new Sink() {
          @Override
          public GatheringByteChannel channel() {
            return file.getChannel();
          }

          @Override
          public void close() throws IOException {
            file.close();
          }
        },
        loop);
  }

  /** A write, or the end if there is no handler. */
  private record Request(List<ByteBuffer> buffers, WriteHandler handler, boolean isEnd) {}

  private static final WriteHandler NOBODY =
      new WriteHandler() {
        @Override
        public void onWritten() {}

        @Override
        public void onFailed(IOException cause) {}
      };

  @Override
  public void write(List<ByteBuffer> buffers, WriteHandler handler) {
    requests.add(new Request(buffers, handler, false));
  }

  private void serve() {
    try {
      while (true) {
        Request request = requests.take();
        if (request.isEnd()) {
          end();
          return;
        }
        try {
          writeAll(sink.channel(), request.buffers());
          loop.execute(request.handler()::onWritten);
        } catch (IOException e) {
          loop.execute(() -> request.handler().onFailed(e));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void writeAll(GatheringByteChannel channel, List<ByteBuffer> buffers)
      throws IOException {
    ByteBuffer[] all = buffers.toArray(new ByteBuffer[0]);
    int first = 0;
    while (first < all.length) {
      channel.write(all, first, all.length - first);
      while (first < all.length && !all[first].hasRemaining()) {
        first++;
      }
    }
  }

  private void end() {
    try {
      sink.close();
    } catch (IOException e) {
      log.warn("the output cannot be closed: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    requests.add(new Request(List.of(), NOBODY, true));
  }
}
