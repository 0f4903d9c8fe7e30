package io.xmig.control.pipe;

import io.xmig.chunk.order.ByteOutput;
import io.xmig.xia.socket.EventLoop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a reader gets that got nothing else: a QEMU waits for ever on an input that ends without a
 * byte, and gives up at once on one that does not begin as a stream.
 *
 * @threading the loop
 */
public final class FailureMark {
  /** Its first bytes are not those of a stream. */
  static final byte[] BYTES =
      "XMIG: no migration stream was received\n".getBytes(StandardCharsets.US_ASCII);

  /** A reader that takes nothing is not waited for. */
  private static final long LIMIT_NS = 500_000_000L;

  private FailureMark() {}

  /** The bytes that make a waiting QEMU give up. */
  public static byte[] bytes() {
    return BYTES.clone();
  }

  /** Writes it to {@code output}, closes that, and goes on with {@code then}. */
  static void write(EventLoop loop, ByteOutput output, Runnable then) {
    Runnable onceThen = once(then);
    EventLoop.Timer limit = loop.schedule(LIMIT_NS, onceThen);
    Runnable finish =
        () -> {
          limit.cancel();
          output.close();
          onceThen.run();
        };
    output.write(
        List.of(ByteBuffer.wrap(BYTES)),
        new ByteOutput.WriteHandler() {
          @Override
          public void onWritten() {
            finish.run();
          }

          @Override
          public void onFailed(IOException cause) {
            finish.run();
          }
        });
  }

  private static Runnable once(Runnable task) {
    boolean[] done = {false};
    return () -> {
      if (!done[0]) {
        done[0] = true;
        task.run();
      }
    };
  }
}
