package io.xmig.adapt.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.adapt.lab.TestKeys;
import io.xmig.adapt.names.NameStatement;
import io.xmig.adapt.names.NameTable;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NameFileTest {
  private static final long NOW_S = 1_800_000_000L;
  private static final Xid AD = Xid.parse("AD:" + "1".repeat(40));

  @TempDir Path directory;
  private final Signer owner = TestKeys.signer("owner");
  private final Signer other = TestKeys.signer("other");

  private static Envelope statement(Signer key, long sequence) {
    return new NameStatement("vm.xia", Dag.path(AD, key.identity().hid()), 0)
        .seal(key, null, sequence);
  }

  private static NameTable table() {
    return new NameTable(100, false, TestKeys.verifier());
  }

  @Test
  void afterARestartANameStillBelongsToItsOwner() throws Exception {
    Path file = directory.resolve("state/names.json");
    NameTable before = table();
    before.register(statement(owner, 5), 0, NOW_S);
    try (NameFile journal = new NameFile(file)) {
      assertThat(journal.read()).isEmpty();
      journal.write(before.held("vm.xia", 0, NOW_S));
    }
    Files.writeString(
        file, "{\"name\":\"half", StandardOpenOption.APPEND); // went down while writing

    NameTable after = table();
    try (NameFile journal = new NameFile(file)) {
      journal.read().forEach(held -> after.restore(held, 0, NOW_S + 60));
    }
    assertThat(after.find("vm.xia", 0)).hasValue(Dag.path(AD, owner.identity().hid()).toString());
    assertThatThrownBy(() -> after.register(statement(other, 9), 0, NOW_S + 60))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("another key");
    assertThatThrownBy(() -> after.register(statement(owner, 4), 0, NOW_S + 60))
        .as("a recording from before")
        .isInstanceOf(RefusedException.class);
    assertThat(after.register(statement(owner, 5), 0, NOW_S + 60)).isPositive();
    assertThat(Files.readString(file)).doesNotContain("half");
  }

  @Test
  void aNameThatHasRunOutMeanwhileIsFree() throws Exception {
    NameTable before = table();
    before.register(statement(owner, 5), 0, NOW_S);
    NameTable after = table();
    after.restore(before.held("vm.xia", 0, NOW_S), 0, NOW_S + TimeUnit.HOURS.toSeconds(25));
    assertThat(after.register(statement(other, 6), 0, NOW_S + 90_000)).isPositive();
  }
}
