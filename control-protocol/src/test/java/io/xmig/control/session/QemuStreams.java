package io.xmig.control.session;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;

/** Makes streams that look like QEMU's, by the structure in docs/protocol.md. */
public final class QemuStreams {
  private static final int PAGE = 4096;
  private static final long FIRST_ADDRESS = 0x100_0000;

  private QemuStreams() {}

  /**
   * A complete stream.
   *
   * @param bytes of the stream == whole length
   * @param startByte position of VM_EOF, the byte that starts the guest
   */
  public record Made(byte[] bytes, int startByte) {}

  /**
   * Header, memory sections of random pages, device state, end.
   *
   * @param described whether a description of the devices follows the end
   * @param decoys whether pages hold what looks like the end of a stream
   */
  public static Made make(RandomGenerator random, int pages, boolean described, boolean decoys) {
    ByteBuffer out = ByteBuffer.allocate(pages * (PAGE + 16) + 400_000);
    out.putInt(0x5145564d).putInt(3);
    for (int i = 0; i < pages; i++) {
      if (i % 16 == 0) {
        out.put((byte) 2).putInt(2);
      }
      byte[] page = new byte[PAGE];
      random.nextBytes(page);
      if (decoys && random.nextInt(4) == 0) {
        ByteBuffer decoy = ByteBuffer.wrap(page);
        decoy.position(random.nextInt(PAGE - 64));
        decoy.put((byte) 0x7e).putInt(3).put((byte) 0).put((byte) 6);
        decoy.putInt(2 + random.nextInt(3 * PAGE)).put((byte) '{').put((byte) '}');
      }
      out.putLong(FIRST_ADDRESS + ((long) i << 12) | 8).put(page);
      if (i % 16 == 15) {
        out.putLong(16).put((byte) 0x7e).putInt(2);
      }
    }
    byte[] device = new byte[1000 + random.nextInt(60_000)];
    random.nextBytes(device);
    out.put((byte) 4).putInt(7).put(device).put((byte) 0x7e).putInt(7);
    int start = out.position();
    out.put((byte) 0);
    if (described) {
      byte[] json =
          ("{\"page_size\": 4096, \"devices\": [" + "7, ".repeat(random.nextInt(30_000)) + "8]}")
              .getBytes(StandardCharsets.US_ASCII);
      out.put((byte) 6).putInt(json.length).put(json);
    }
    byte[] all = new byte[out.position()];
    out.flip().get(all);
    return new Made(all, start);
  }
}
