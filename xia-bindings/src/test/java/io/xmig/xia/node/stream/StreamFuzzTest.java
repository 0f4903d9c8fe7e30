package io.xmig.xia.node.stream;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.xmig.xia.node.stream.StreamTransferTest.Pair;
import java.nio.ByteBuffer;

/** Coverage-guided mutation of what follows the XIP header. */
class StreamFuzzTest {
  private static final long SECOND = 1_000_000_000L;

  /** Any bytes behind a sound XIP header are taken or dropped, and nothing else. */
  @FuzzTest
  void anyTransportBytesAreTakenOrDropped(byte[] bytes) {
    Pair pair = new Pair(1, 0, 0);
    pair.clientApp.shutsDown = false;
    pair.connect();
    pair.net.run(SECOND);
    byte[] packet = new byte[176 + Math.min(bytes.length, 2000)];
    ByteBuffer head = ByteBuffer.wrap(packet);
    head.put((byte) 1).put((byte) 60).putShort((short) (packet.length - 176));
    head.put((byte) 250).put((byte) 3).put((byte) 3).put((byte) -1);
    head.put(pair.b.localAddress().service(PairNet.sid(888)).wireBytes());
    head.put(pair.a.localAddress().service(PairNet.sid(999)).wireBytes());
    head.put(bytes, 0, packet.length - 176);
    pair.b.deliver(packet);
    byte[] back = packet.clone();
    System.arraycopy(packet, 8, back, 92, 84);
    System.arraycopy(packet, 92, back, 8, 84);
    pair.a.deliver(back);
    pair.net.run(SECOND / 100);
  }
}
