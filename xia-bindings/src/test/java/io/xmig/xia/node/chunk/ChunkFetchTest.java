package io.xmig.xia.node.chunk;

import static io.xmig.xia.node.chunk.Transfer.MS;
import static io.xmig.xia.node.chunk.Transfer.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ChunkFetchTest {
  private final ChunkNet net = new ChunkNet(7);
  private final ChunkNet.Host a = net.new Host(1, 1);
  private final ChunkNet.Host b = net.new Host(2, 2);

  @Test
  void chunksOfEverySizeArriveUnchanged() {
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    for (int length :
        new int[] {0, 1, 2, 100, 1171, 1172, 1173, 15_600, 65_536, 1 << 20, 4 << 20}) {
      transfer.put(1, length, length);
    }
    transfer.start();
    assertThat(transfer.run(10 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
    assertThat(transfer.arrived).hasSize(11);
    assertThat(transfer.client.snapshot()).containsEntry("reassemblyBytes", 0L);
  }

  @Test
  void chunksOfUnknownLengthArriveUnchanged() {
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    transfer.lengthsKnown = false;
    for (int length : new int[] {0, 1, 1172, 15_600, 65_536, 1 << 20}) {
      transfer.put(1, length, length);
    }
    transfer.start();
    assertThat(transfer.run(10 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
  }

  @Test
  void aPlainV11HostIsAskedForWholeChunks() {
    Transfer transfer =
        new Transfer(
            net, a, b, ChunkOptions.defaults().withoutExtensions(), ChunkOptions.defaults());
    transfer.put(40, 15_000, 1).start();
    assertThat(transfer.run(10 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
    assertThat(transfer.client.fetcher().flow(a.address.hid()).peer).isEqualTo(Flow.Peer.LEGACY);
    assertThat(transfer.client.counters().requestsSent).isEqualTo(40);
  }

  @Test
  void aLossyPathToAPlainV11HostOnlyTakesLonger() {
    a.up.loss = 0.05;
    b.up.loss = 0.05;
    Transfer transfer =
        new Transfer(
            net, a, b, ChunkOptions.defaults().withoutExtensions(), ChunkOptions.defaults());
    transfer.put(40, 15_000, 1).start();
    assertThat(transfer.run(100 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
  }

  @Test
  void aGigabitPathIsFilled() {
    a.up.rate(1000).delayNs = MS / 2;
    a.up.queueBytes = 300_000;
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    transfer.put(100, 1 << 20, 1).start();
    assertThat(transfer.run(10 * SECOND)).isTrue();
    assertThat(transfer.goodput()).isGreaterThan(110e6);
  }

  @Test
  void aLossyPathIsFilled() {
    a.up.rate(100).delayNs = 25 * MS;
    a.up.queueBytes = 300_000;
    a.up.loss = 0.005;
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    transfer.put(100, 1 << 20, 1).start();
    assertThat(transfer.run(100 * SECOND)).isTrue();
    assertThat(transfer.goodput()).isGreaterThan(10.5e6);
  }
}
