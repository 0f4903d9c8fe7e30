package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.testkit.Vectors;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The prototype's requests and responses, byte for byte. */
class ContentVectorsTest {
  private static final int ETHERNET = 14;
  private static final int HOP_LIMIT = 4;
  private static final int SID = 8 + 5 * Dag.NODE_LENGTH; // of a request: sixth node

  private final ChunkNet net = new ChunkNet(1);
  private final ChunkNet.Host host0 = net.new Host(address("0"));
  private final ChunkNet.Host host1 = net.new Host(address("1"));

  private static LocalAddress address(String digit) {
    return new LocalAddress(
        Xid.parse("AD:1" + "0".repeat(38) + digit),
        Xid.parse("HID:" + "0".repeat(39) + digit),
        null);
  }

  private static byte[] xip(String name) {
    byte[] frame = Vectors.get("content", name).bytes();
    return Arrays.copyOfRange(frame, ETHERNET, frame.length);
  }

  /** Bytes of the chunk in the prototype's responses. */
  private static byte[] chunk(String... responses) {
    ByteBuffer all = ByteBuffer.allocate(1 << 16);
    for (String name : responses) {
      byte[] packet = xip(name);
      all.put(packet, 176 + 52, packet.length - 176 - 52);
    }
    return Arrays.copyOf(all.array(), all.position());
  }

  /** The packet as it was before the first hop took one from its hop limit. */
  private static byte[] asSent(byte[] firstHop) {
    byte[] packet = firstHop.clone();
    packet[HOP_LIMIT]++;
    return packet;
  }

  @Test
  void answersTheSmallRequestAsThePrototypeDid() {
    byte[] data = chunk("cid_response_small_hop1");
    assertThat(answers(data, "cid_request_hop3"))
        .containsExactly(asSent(xip("cid_response_small_hop1")));
  }

  @Test
  void splitsALargerChunkAsThePrototypeDid() {
    byte[] data =
        chunk("cid_response_2500_part1", "cid_response_2500_part2", "cid_response_2500_part3");
    assertThat(data).hasSize(2500);
    assertThat(answers(data, "cid_request_2500"))
        .containsExactly(
            asSent(xip("cid_response_2500_part1")),
            asSent(xip("cid_response_2500_part2")),
            asSent(xip("cid_response_2500_part3")));
  }

  private List<byte[]> answers(byte[] data, String request) {
    ChunkTransport server = new ChunkTransport(host0, ChunkOptions.defaults());
    server.allocateSlice(SliceOptions.unlimited()).put(Cid.of(data), ByteBuffer.wrap(data));
    host0.logging = true;
    host0.arrive(xip(request));
    net.run(1_000_000_000L);
    return host0.log;
  }

  @Test
  void requestsAsThePrototypeDid() {
    byte[] data = chunk("cid_response_small_hop1");
    host1.logging = true;
    ChunkTransport client = new ChunkTransport(host1, ChunkOptions.defaults().withoutExtensions());
    client.openChunks().request(host0.address.chunk(Cid.of(data)), -1, new Collected());
    byte[] expected = asSent(xip("cid_request_hop1"));
    // The SID is chosen by chance there and here; only its first bytes are the same.
    System.arraycopy(host1.log.get(0), SID + 20, expected, SID + 20, 4);
    assertThat(host1.log.get(0)).isEqualTo(expected);
  }

  @Test
  void understandsThePrototypesResponses() {
    String[] parts = {
      "cid_response_2500_part1", "cid_response_2500_part2", "cid_response_2500_part3"
    };
    byte[] data = chunk(parts);
    host1.logging = true;
    ChunkTransport client = new ChunkTransport(host1, ChunkOptions.defaults());
    Collected collected = new Collected();
    client.openChunks().request(host0.address.chunk(Cid.of(data)), -1, collected);
    for (String part : parts) {
      byte[] packet = xip(part);
      System.arraycopy(host1.log.get(0), SID + 20, packet, 8 + 2 * Dag.NODE_LENGTH + 20, 4);
      host1.arrive(packet);
    }
    assertThat(collected.data).isEqualTo(ByteBuffer.wrap(data));
    assertThat(client.fetcher().flow(host0.address.hid()).peer).isEqualTo(Flow.Peer.LEGACY);
  }

  private static final class Collected implements ChunkHandler {
    ByteBuffer data;

    @Override
    public void onChunk(Xid cid, ByteBuffer chunk) {
      data = chunk;
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      throw cause;
    }
  }
}
