package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InterruptModerationTest {
  private static final long US = 1_000;
  private static final long MS = 1_000_000;
  private static final long HANDLING_NS = 2 * US;

  private final InterruptModeration moderation = new InterruptModeration(0);
  private long now;
  private int looks;
  private long longestWait;

  /** A loop that frames of these arrival times wake, as NodeLoop does. */
  private void receive(long[] arrivals) {
    for (int next = 0; next < arrivals.length; ) {
      now = Math.max(now, arrivals[next]);
      looks++;
      moderation.looking(now);
      int large = 0;
      for (long looked = now; next < arrivals.length && arrivals[next] <= looked; next++) {
        longestWait = Math.max(longestWait, looked - arrivals[next]);
        large++;
        now += HANDLING_NS;
      }
      moderation.frames(large);
      pause();
    }
  }

  private void pause() {
    long pause = moderation.pauseNs(now);
    assertThat(pause).isBetween(0L, InterruptModeration.LONGEST_NS);
    if (pause > 0) {
      now += pause;
      moderation.pausedToTheEnd();
    }
  }

  private long[] every(long intervalNs, int count) {
    long[] arrivals = new long[count];
    for (int i = 0; i < count; i++) {
      arrivals[i] = now + (i + 1) * intervalNs;
    }
    return arrivals;
  }

  @ParameterizedTest(name = "a frame every {0} µs")
  @ValueSource(longs = {5, 12, 72})
  void aBusyLinkIsLookedAtForSeveralFramesAtATimeAndNoneWaitsLong(long intervalUs) {
    receive(every(intervalUs * US, 200_000));
    assertThat(looks).isLessThan(200_000 * 6 / 10);
    assertThat(longestWait).isLessThanOrEqualTo(InterruptModeration.LONGEST_NS);
    if (intervalUs == 12) { // 1 Gbit/s in frames of 1,500 bytes
      assertThat(200_000.0 / looks)
          .isCloseTo(InterruptModeration.LONGEST_NS / (12.0 * US), within(2.0));
    }
  }

  @Test
  void theFasterTheLinkTheShorterThePauses() {
    receive(every(3 * US, 100_000));
    assertThat(longestWait).isLessThan(4 * US * InterruptModeration.FRAMES_PER_LOOK);
  }

  @Test
  void aSlowLinkIsLookedAtForEachFrame() {
    receive(every(400 * US, 2_000));
    assertThat(moderation.pauses()).isZero();
    assertThat(longestWait).isZero();
  }

  @Test
  void smallFramesAreNeverKeptWaiting() {
    for (int i = 0; i < 10_000; i++) {
      now += 10 * US;
      moderation.looking(now);
      moderation.frames(0);
      assertThat(moderation.pauseNs(now)).isZero();
    }
  }

  @Test
  void whenTheFlowEndsTheSecondPauseIsTheLast() {
    receive(every(12 * US, 5_000));
    long before = moderation.pauses();
    for (int i = 0; i < 100; i++) {
      moderation.looking(now);
      pause();
      now += US;
    }
    assertThat(moderation.pauses() - before).isLessThanOrEqualTo(2);
  }

  @Test
  void anExchangeOfLargeMessagesOneAtATimeIsHeldUpByAFewPercentOnly() {
    long needed = 0;
    for (int i = 0; i < 20_000; i++) {
      now += 50 * US; // the other side and the way there and back
      needed += 50 * US + HANDLING_NS;
      moderation.looking(now);
      moderation.frames(1);
      now += HANDLING_NS;
      pause();
    }
    assertThat((double) now / needed).isLessThan(1.03);
  }

  @Test
  void aFlowThatComesBackIsServedInIntervalsAgain() {
    anExchangeOfLargeMessagesOneAtATimeIsHeldUpByAFewPercentOnly();
    now += 2 * InterruptModeration.LAST_RETRY_NS;
    looks = 0;
    receive(every(12 * US, 20_000));
    assertThat(looks).isLessThan(5_000);
  }

  @Test
  void whatCutsAPauseShortDoesNotCountAgainstTheFlow() {
    receive(every(12 * US, 5_000));
    for (int i = 0; i < 1_000; i++) { // a timer every 15 µs: looks that bring one frame or none
      now += 15 * US;
      moderation.looking(now);
      moderation.frames(1);
      assertThat(moderation.pauseNs(now)).isPositive();
    }
  }
}
