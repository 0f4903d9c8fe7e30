package io.xmig.xia.link.posix;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpollTest {
  @ParameterizedTest(name = "epoll_pwait2 {0}")
  @ValueSource(booleans = {true, false})
  void waitsForFractionsOfAMillisecondAndSeesEvents(boolean precise) {
    try (Epoll epoll = new Epoll(8, precise && LibcRecent.EPOLL_PWAIT2);
        EventDescriptor event = new EventDescriptor()) {
      epoll.add(event, Epoll.IN, 42);
      long shortest = Long.MAX_VALUE;
      for (int i = 0; i < 1000 && (i < 3 || shortest > 5_000_000); i++) {
        long start = System.nanoTime();
        assertThat(epoll.await(300_000)).isZero();
        shortest = Math.min(shortest, System.nanoTime() - start);
      }
      assertThat(shortest).isBetween(290_000L, 5_000_000L);
      event.signal();
      assertThat(epoll.await(1_000_000_000L)).isEqualTo(1);
      assertThat(epoll.token(0)).isEqualTo(42);
      assertThat(epoll.events(0) & Epoll.IN).isNotZero();
      event.drain();
      assertThat(epoll.await(0)).isZero();
      epoll.remove(event);
    }
  }
}
