package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class FetchPaceTest {
  private static final long MS = 1_000_000L;

  @Test
  void theWindowGrowsWithWhatArrivesUpToALimit() {
    FetchPace pace = new FetchPace();
    int first = pace.window();
    for (int i = 0; i < first; i++) {
      pace.arrived(10 * MS);
    }
    assertThat(pace.window()).isBetween(first, first + 1);
    for (int i = 0; i < 20_000; i++) {
      pace.arrived(10 * MS);
    }
    assertThat(pace.window()).isEqualTo(FetchPace.LARGEST);
  }

  @Test
  void lossesOfOneMomentHalveTheWindowOnceAndNeverBelowTwo() {
    FetchPace pace = new FetchPace();
    pace.missed(0);
    pace.missed(1 * MS);
    assertThat(pace.window()).isEqualTo(FetchPace.FIRST / 2);
    for (int i = 1; i < 20; i++) {
      pace.missed(i * 1000 * MS);
    }
    assertThat(pace.window()).isEqualTo(FetchPace.SMALLEST);
  }

  @Test
  void aRequestIsRepeatedWhenItsAnswerIsLongOverdueAndEverLater() {
    FetchPace pace = new FetchPace();
    assertThat(pace.repeatAfterNs(1)).isEqualTo(FetchPace.FIRST_REPEAT_NS);
    for (int i = 0; i < 100; i++) {
      pace.arrived(5 * MS);
    }
    assertThat(pace.repeatAfterNs(1)).isEqualTo(FetchPace.SHORTEST_REPEAT_NS);
    assertThat(pace.repeatAfterNs(2)).isEqualTo(2 * FetchPace.SHORTEST_REPEAT_NS);
    assertThat(pace.repeatAfterNs(50)).isLessThanOrEqualTo(FetchPace.LONGEST_REPEAT_NS);
    pace.arrived(-1); // asked for twice: says nothing about the time
    assertThat(pace.repeatAfterNs(1)).isEqualTo(FetchPace.SHORTEST_REPEAT_NS);
  }

  @Test
  void itAsksTheLessOftenTheLongerNothingArrives() {
    FetchPace pace = new FetchPace();
    assertThat(pace.pauseNs(true)).isZero();
    assertThat(pace.pauseNs(false)).isEqualTo(2 * FetchPace.SHORTEST_PAUSE_NS);
    for (int i = 0; i < 20; i++) {
      pace.pauseNs(false);
    }
    assertThat(pace.pauseNs(false)).isEqualTo(FetchPace.LONGEST_PAUSE_NS);
    assertThat(pace.pauseNs(true)).isZero();
  }

  @Test
  void textsInNativeMemoryAreBounded() {
    StatusList list = new StatusList(2);
    int place = list.keep("RE CID");
    list.keep("x".repeat(StatusList.TEXT_BYTES - 1));

    assertThat(list.text(place).getString(0)).isEqualTo("RE CID");
    assertThatThrownBy(() -> list.keep("a third")).isInstanceOf(IllegalStateException.class);
    list.drop(place);
    assertThatThrownBy(() -> list.keep("x".repeat(StatusList.TEXT_BYTES)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(list.keep("again")).isEqualTo(place);
    list.clear().add(place);
    list.add(place);
    assertThatThrownBy(() -> list.add(place)).isInstanceOf(IllegalStateException.class);
    assertThat(list.status(1)).isZero();
  }
}
