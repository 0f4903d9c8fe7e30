package io.xmig.testbed.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.agent.AgentEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AgentDiaryTest {
  @Test
  void tellsAgesWithTheOldestFirst() {
    List<AgentEvent> events =
        List.of(
            new AgentEvent("sign", 1_000_000, Map.of()),
            new AgentEvent("register.sent", 3_000_000, Map.of("sequence", "7")));

    assertThat(AgentDiary.read(ByteBuffer.wrap(AgentDiary.write(events, 5_000_000))))
        .containsExactly(
            new AgentDiary.Entry("sign", 4000), new AgentDiary.Entry("register.sent", 2000));
  }

  @Test
  void aLongDiaryKeepsItsNewestEventsAndFitsIntoAPacket() {
    List<AgentEvent> events = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      events.add(new AgentEvent("event" + i, i * 1000L, Map.of()));
    }

    byte[] written = AgentDiary.write(events, 600_000);

    assertThat(written).hasSizeLessThanOrEqualTo(1000);
    List<AgentDiary.Entry> read = AgentDiary.read(ByteBuffer.wrap(written));
    assertThat(read).hasSizeGreaterThan(20);
    assertThat(read.get(read.size() - 1).name()).isEqualTo("event499");
  }

  @Test
  void whatIsNoLineOfADiaryIsLeftOut() {
    byte[] answer =
        "sign 12\n\nnonsense\n 5\nx -3\ny 99999999999999999999\n"
            .getBytes(StandardCharsets.US_ASCII);

    assertThat(AgentDiary.read(ByteBuffer.wrap(answer)))
        .containsExactly(new AgentDiary.Entry("sign", 12));
  }

  @Test
  void countsAreReadAsTheyWereWrittenWithoutWhatIsZero() {
    byte[] told =
        AgentDiary.counts(
            Map.of("stale", 3L),
            "{packetsIn=9, badChecksum=0, unknownToken=2, migrationsRejected=17}",
            56_692);
    assertThat(AgentDiary.readCounts(ByteBuffer.wrap(told)))
        .isEqualTo(
            Map.of(
                "agent", Map.of("stale", 3L),
                "stream", Map.of("unknownToken", 2L, "migrationsRejected", 17L),
                "process", Map.of("peakKb", 56_692L)));
    assertThat(
            AgentDiary.readCounts(
                ByteBuffer.wrap("a b c\n\n1 2\n".getBytes(StandardCharsets.US_ASCII))))
        .isEmpty();
  }
}
