package io.xmig.testbed.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoldbachTest {
  @ParameterizedTest
  @CsvSource({"4, 2", "6, 3", "10, 3", "98, 19", "1000000, 17"})
  void findsThePairWithTheSmallestPrime(long even, long smaller) {
    assertThat(Goldbach.smallerPrime(even)).isEqualTo(smaller);
    assertThat(Goldbach.holds(even, smaller, even - smaller)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {-2, 0, 2, 5, 1L << 32, Long.MAX_VALUE})
  void refusesOtherNumbers(long other) {
    assertThatThrownBy(() -> Goldbach.smallerPrime(other))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void doesNotAcceptACompositeInAnAnswer() {
    assertThat(Goldbach.holds(10, 1, 9)).isFalse();
    assertThat(Goldbach.holds(12, 3, 9)).isFalse();
    assertThat(Goldbach.holds(12, 5, 5)).isFalse();
  }

  @Test
  void anAnswerCarriesSequenceAndNumberOfItsQuestion() {
    ByteBuffer wire = ByteBuffer.allocate(CalMessage.LENGTH);
    new CalMessage(7, 100, 0, 0).solved().write(wire);
    wire.flip();

    assertThat(wire.remaining()).isEqualTo(32);
    CalMessage answer = CalMessage.read(wire);
    assertThat(answer).isEqualTo(new CalMessage(7, 100, 3, 97));
    assertThat(answer.isRight()).isTrue();
    assertThat(CalMessage.read(wire)).isNull();
  }
}
