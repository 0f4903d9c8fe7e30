package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuestOptionsTest {
  @Test
  void readsEveryWord() {
    GuestOptions options =
        GuestOptions.parse("ballast=280", "ballast-content=realistic", "dirty=10", "dirty-set=32");

    assertThat(options)
        .isEqualTo(new GuestOptions(280, MemoryBallast.Content.REALISTIC, 10, 32, false, false));
  }

  @Test
  void hasNoBallastUnlessAsked() {
    assertThat(GuestOptions.parse().ballastMib()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "balast=1, unknown guest option 'balast'",
    "ballast=much, ballast is not a number: 'much'",
    "ballast=-1, ballast is out of range: -1",
    "ballast-content=zeros, 'zeros'",
    "dirty=5, dirty needs ballast"
  })
  void saysWhatIsWrongWithAWord(String word, String message) {
    assertThatThrownBy(() -> GuestOptions.parse(word))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
