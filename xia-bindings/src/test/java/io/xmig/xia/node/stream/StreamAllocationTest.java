package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class StreamAllocationTest {
  @Test
  void nothingIsAllocatedPerPacketInSteadyState() {
    QuietPair pair = new QuietPair(1500, StreamOptions.defaults());
    pair.transfer(16 << 20); // the rings have grown, the code is compiled
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long packets = pair.packets();
    long before = threads.getCurrentThreadAllocatedBytes();
    pair.transfer(64 << 20);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    packets = pair.packets() - packets;
    assertThat(packets).isGreaterThan(45_000);
    assertThat((double) allocated / packets).isLessThan(1);
  }
}
