package io.xmig.control.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.xmig.control.qemu.QemuException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(300)
class QmpClientTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path directory;
  private final BlockingQueue<QmpEvent> events = new LinkedBlockingQueue<>();

  private QmpClient connect() {
    return QmpClient.connect(directory.resolve("qmp"), LIMIT, events::add);
  }

  private FakeQmp fake(String greeting) throws IOException {
    return new FakeQmp(directory.resolve("qmp"), greeting);
  }

  @Test
  void matchesOverlappingAnswersToTheirCommands() throws Exception {
    try (FakeQmp qemu = fake(FakeQmp.GREETING);
        QmpClient client = connect()) {
      CompletableFuture<JsonNode> first = client.send("query-status", null);
      CompletableFuture<JsonNode> second =
          client.send("migrate", QmpClient.arguments().put("uri", "exec:\"quoted\""));
      String firstLine = qemu.next();
      String secondLine = qemu.next();

      qemu.answer(secondLine, "{\"order\": 2}");
      qemu.answer(firstLine, "{\"order\": 1}");

      assertThat(second.get(60, TimeUnit.SECONDS).path("order").asInt()).isEqualTo(2);
      assertThat(first.get(60, TimeUnit.SECONDS).path("order").asInt()).isEqualTo(1);
      assertThat(secondLine).contains("\"uri\":\"exec:\\\"quoted\\\"\"");
      assertThat(client.version()).isEqualTo(702);
    }
  }

  @Test
  void handsOutEventsWithTheirTime() throws Exception {
    try (FakeQmp qemu = fake(FakeQmp.GREETING);
        QmpClient client = connect()) {
      qemu.write("{\"timestamp\": {\"seconds\": 17, \"microseconds\": 250000},");
      qemu.write(" \"event\": \"MIGRATION\", \"data\": {\"status\": \"active\"}}\r\n");

      QmpEvent event = events.poll(60, TimeUnit.SECONDS);

      assertThat(event).isNotNull();
      assertThat(event.name()).isEqualTo("MIGRATION");
      assertThat(event.text("status")).isEqualTo("active");
      assertThat(event.time()).isEqualTo(Instant.ofEpochSecond(17, 250_000_000));
    }
  }

  @Test
  void givesQemusOwnWordsWhenItRefuses() throws Exception {
    try (FakeQmp qemu = fake(FakeQmp.GREETING);
        QmpClient client = connect()) {
      CompletableFuture<JsonNode> answer = client.send("migrate", null);
      qemu.write(
          "{\"id\": \""
              + FakeQmp.id(qemu.next())
              + "\", \"error\": {\"class\": \"GenericError\", \"desc\": \"already running\"}}\r\n");

      assertThatThrownBy(() -> answer.get(60, TimeUnit.SECONDS))
          .hasRootCauseInstanceOf(QemuException.class)
          .rootCause()
          .hasMessageContaining("already running");
    }
  }

  @Test
  void doesNotWaitForEverForAnAnswer() throws Exception {
    try (FakeQmp qemu = fake(FakeQmp.GREETING);
        QmpClient client = connect()) {
      assertThatThrownBy(() -> client.call("query-status", null, Duration.ofMillis(50)))
          .isInstanceOfSatisfying(
              QemuException.class, e -> assertThat(e.kind()).isEqualTo(Kind.TIMED_OUT));
      assertThat(qemu.next()).contains("query-status");
    }
  }

  @Test
  void failsPendingCommandsWhenQemuDies() throws Exception {
    try (FakeQmp qemu = fake(FakeQmp.GREETING);
        QmpClient client = connect()) {
      CompletableFuture<JsonNode> answer = client.send("query-status", null);
      qemu.next();
      qemu.close();

      assertThatThrownBy(() -> answer.get(60, TimeUnit.SECONDS))
          .hasRootCauseInstanceOf(QemuException.class)
          .rootCause()
          .hasMessageContaining("closed");
      client.closed().get(60, TimeUnit.SECONDS);
      assertThatThrownBy(() -> client.call("query-status", null, LIMIT))
          .isInstanceOfSatisfying(
              QemuException.class, e -> assertThat(e.kind()).isEqualTo(Kind.GONE));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SSH-2.0-OpenSSH_9.2",
        "{\"return\"",
        "[1,2]",
        "\"text\"",
        "{\"neither\": \"nor\"}",
        "\u0000\u00ff\u0001",
      })
  void refusesAPeerThatIsNotQemu(String greeting) throws Exception {
    try (FakeQmp peer = fake(greeting)) {
      assertThatThrownBy(this::connect)
          .isInstanceOfSatisfying(
              QemuException.class, e -> assertThat(e.kind()).isEqualTo(Kind.MALFORMED));
      assertThat(peer).isNotNull();
    }
  }

  @Test
  void refusesNestingWithoutEnd() throws Exception {
    try (FakeQmp peer = fake("{\"a\":".repeat(5000))) {
      assertThatThrownBy(this::connect)
          .isInstanceOfSatisfying(
              QemuException.class, e -> assertThat(e.kind()).isEqualTo(Kind.MALFORMED));
      assertThat(peer).isNotNull();
    }
  }

  @Test
  void refusesALineWithoutEnd() throws Exception {
    try (FakeQmp peer = fake(FakeQmp.GREETING);
        QmpClient client = connect()) {
      CompletableFuture<JsonNode> answer = client.send("query-status", null);
      peer.next();
      Thread writer =
          new Thread(
              () -> {
                try {
                  for (int i = 0; i <= QmpClient.LINE_LIMIT / (64 << 10); i++) {
                    peer.write("x".repeat(64 << 10));
                  }
                } catch (java.io.UncheckedIOException e) {
                  // the client hung up in the middle, as it should
                }
              });
      writer.start();

      assertThatThrownBy(() -> answer.get(60, TimeUnit.SECONDS))
          .rootCause()
          .hasMessageContaining("too long");
      writer.join(5000);
    }
  }

  @Test
  void ignoresAnswersNobodyWaitsForAndEmptyLines() throws Exception {
    try (FakeQmp qemu = fake(FakeQmp.GREETING);
        QmpClient client = connect()) {
      qemu.write("\r\n{\"return\": {}, \"id\": \"999\"}\r\n{\"return\": {}}\r\n");
      CompletableFuture<JsonNode> answer = client.send("query-status", null);
      qemu.answer(qemu.next(), "{\"status\": \"running\"}");

      assertThat(answer.get(60, TimeUnit.SECONDS).path("status").asText()).isEqualTo("running");
    }
  }

  @Test
  void saysThatNobodyListens() {
    assertThatThrownBy(this::connect)
        .isInstanceOfSatisfying(QemuException.class, e -> assertThat(e.kind()).isEqualTo(Kind.GONE))
        .hasMessageContaining("qmp");
  }
}
