package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import org.junit.jupiter.api.Test;

class EarlierRequestsTest {
  private static final Xid CHUNK = ChunkNet.xid(XidType.CID, 1);

  private final EarlierRequests earlier = new EarlierRequests();

  @Test
  void eachRequestLeftAccountsForOneError() {
    earlier.ended(CHUNK, 1, 0);
    earlier.ended(CHUNK, 1, 5);
    assertThat(earlier.explains(CHUNK, 10)).isTrue();
    assertThat(earlier.explains(CHUNK, 10)).isTrue();
    assertThat(earlier.explains(CHUNK, 10)).isFalse();
    assertThat(earlier.chunks()).isZero();
  }

  @Test
  void aFetchWithNothingUnderWayLeavesNothing() {
    earlier.ended(CHUNK, 0, 0);
    assertThat(earlier.explains(CHUNK, 1)).isFalse();
  }

  @Test
  void anErrorLongAfterwardsIsAboutSomethingElse() {
    earlier.ended(CHUNK, 3, 0);
    assertThat(earlier.explains(CHUNK, EarlierRequests.LIFE_NS + 1)).isFalse();
    earlier.ended(CHUNK, 1, EarlierRequests.LIFE_NS + 2);
    assertThat(earlier.explains(CHUNK, EarlierRequests.LIFE_NS + 3)).isTrue();
    assertThat(earlier.explains(CHUNK, EarlierRequests.LIFE_NS + 3)).isFalse();
  }

  @Test
  void isBoundedWhateverIsFetched() {
    for (int i = 0; i < 3 * EarlierRequests.CAPACITY; i++) {
      earlier.ended(ChunkNet.xid(XidType.CID, i), 1, i);
    }
    assertThat(earlier.chunks()).isEqualTo(EarlierRequests.CAPACITY);
  }
}
