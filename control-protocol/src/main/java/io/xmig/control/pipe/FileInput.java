package io.xmig.control.pipe;

import io.xmig.chunk.cut.ByteInput;
import io.xmig.xia.socket.EventLoop;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Reads a file, usually a pipe from QEMU, in a thread of its own, straight into the buffers given.
 *
 * @threading methods on the loop
 */
public final class FileInput implements ByteInput {
  private final FileInputStream file;
  private final EventLoop loop;
  private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>(1);
  private final Thread reader;

  /** Reads {@code file}, which is closed together with this input. */
  public FileInput(FileInputStream file, EventLoop loop) {
    this.file = file;
    this.loop = loop;
    reader = new Thread(this::serve, "input");
    reader.setDaemon(true);
    reader.start();
  }

  private record Request(ByteBuffer target, ReadHandler handler) {}

  @Override
  public void read(ByteBuffer target, ReadHandler handler) {
    requests.add(new Request(target, handler));
  }

  private void serve() {
    FileChannel channel = file.getChannel();
    try {
      while (true) {
        Request request = requests.take();
        try {
          int count = readWhatIsThere(channel, request.target());
          loop.execute(() -> request.handler().onRead(count));
        } catch (IOException e) {
          loop.execute(() -> request.handler().onFailed(e));
        }
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for the first byte, then takes what else is there. */
  private int readWhatIsThere(FileChannel channel, ByteBuffer target) throws IOException {
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
  public void close() {
    reader.interrupt();
  }
}
