package io.xmig.control.pipe;

import io.xmig.chunk.order.ByteOutput;
import io.xmig.xia.socket.EventLoop;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a file, usually a pipe to QEMU, in a thread of its own.
 *
 * @threading methods on the loop
 */
public final class FileOutput implements ByteOutput {
  private static final Logger log = LoggerFactory.getLogger(FileOutput.class);

  private final FileOutputStream file;
  private final EventLoop loop;
  private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>();

  /** Writes {@code file}, which is closed together with this output. */
  public FileOutput(FileOutputStream file, EventLoop loop) {
    this.file = file;
    this.loop = loop;
    Thread writer = new Thread(this::serve, "output");
    writer.setDaemon(true);
    writer.start();
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
    FileChannel channel = file.getChannel();
    try {
      while (true) {
        Request request = requests.take();
        if (request.isEnd()) {
          end();
          return;
        }
        try {
          writeAll(channel, request.buffers());
          loop.execute(request.handler()::onWritten);
        } catch (IOException e) {
          loop.execute(() -> request.handler().onFailed(e));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void writeAll(FileChannel channel, List<ByteBuffer> buffers) throws IOException {
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
      file.close();
    } catch (IOException e) {
      log.warn("the output cannot be closed: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    requests.add(new Request(List.of(), NOBODY, true));
  }
}
