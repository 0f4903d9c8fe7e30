package io.xmig.control.resident;

import io.xmig.control.qemu.MigrationPipe;
import java.io.IOException;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A resident transfer, or a process of its own if the resident process cannot take it: a migration
 * that begins while that one starts need not wait.
 *
 * @threading as {@link MigrationPipe}
 */
public final class PreferredPipe implements MigrationPipe {
  private static final Logger log = LoggerFactory.getLogger(PreferredPipe.class);

  private final ResidentPipe resident;
  private final MigrationPipe otherwise;

  public PreferredPipe(ResidentPipe resident, MigrationPipe otherwise) {
    this.resident = resident;
    this.otherwise = otherwise;
  }

  @Override
  public void prepare() throws IOException {
    try {
      resident.prepare();
    } catch (IOException e) {
      log.info("a process of its own carries this migration: {}", e.getMessage());
      otherwise.prepare();
    }
  }

  private MigrationPipe chosen() {
    return resident.wasBegun() ? resident : otherwise;
  }

  @Override
  public String uri() {
    return chosen().uri();
  }

  @Override
  public OptionalInt exitStatus() {
    return chosen().exitStatus();
  }

  @Override
  public String lastWords() {
    return chosen().lastWords();
  }

  @Override
  public void kill() {
    chosen().kill();
  }

  @Override
  public void terminate() {
    chosen().terminate();
  }
}
