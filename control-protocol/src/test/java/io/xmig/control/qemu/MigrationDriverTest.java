package io.xmig.control.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class MigrationDriverTest {
  private static final String PARAMETERS =
      "\"arguments\":{\"max-bandwidth\":%s,\"downtime-limit\":%s}";

  @TempDir Path directory;

  @Test
  void setsTheFirstLimitsBeforeTheMigrationAndLaterOnesWhileItRuns() throws Exception {
    try (FakeQmp qemu = new FakeQmp(directory.resolve("qmp"), FakeQmp.GREETING);
        QmpClient client =
            QmpClient.connect(directory.resolve("qmp"), Duration.ofSeconds(60), event -> {})) {
      MigrationDriver driver = new MigrationDriver(client);
      CompletableFuture<Void> prepared =
          CompletableFuture.runAsync(() -> driver.prepareSource(MigrationSettings.usual(false)));
      qemu.answer(qemu.next(), "[]");
      qemu.answer(qemu.next(), "{}");
      String first = qemu.next();
      qemu.answer(first, "{}");
      prepared.join();
      CompletableFuture<JsonNode> changed =
          driver.limit(new MigrationLimits.Limits(15_625_000, 84));
      String second = qemu.next();
      assertThat(changed).as("waits for no answer").isNotDone();
      qemu.answer(second, "{}");
      changed.join();

      assertThat(first)
          .contains("migrate-set-parameters", PARAMETERS.formatted("10737418240", "55"));
      assertThat(second).contains("migrate-set-parameters", PARAMETERS.formatted("15625000", "84"));
    }
  }
}
