package io.xmig.xia.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.socket.SliceOptions.Policy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RouterCacheTest {
  @Test
  void sizePolicyAndAdmissionAreRead() {
    assertThat(RouterCache.parse("off")).isEqualTo(RouterCache.OFF);
    assertThat(RouterCache.parse("0").isOn()).isFalse();
    assertThat(RouterCache.parse("64")).isEqualTo(new RouterCache(64 << 20, Policy.FIFO, false));
    assertThat(RouterCache.parse("64,LRU,first"))
        .isEqualTo(new RouterCache(64 << 20, Policy.LRU, true));
    assertThat(RouterCache.parse("8:second:fifo"))
        .isEqualTo(new RouterCache(8 << 20, Policy.FIFO, false));
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "64:fifo:second", "1:lru:first"})
  void whatIsWrittenIsReadAgain(String text) {
    assertThat(RouterCache.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "70000", "lru", "64,refuse", "off,lru"})
  void whatIsNoCacheIsRefused(String text) {
    assertThatThrownBy(() -> RouterCache.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
