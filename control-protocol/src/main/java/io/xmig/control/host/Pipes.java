package io.xmig.control.host;

import io.xmig.control.pipe.LastProgress;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationSettings;
import java.nio.file.Path;
import java.util.Optional;

/** The two programs that carry a migration stream. */
public interface Pipes {
  /** Where the receiving pipe of a hand-off can be reached; told to the source. */
  String address(String handoff);

  /** The pipe that a destination QEMU reads from. */
  MigrationPipe receiver(Path directory, String handoff);

  /** The pipe that a source QEMU writes to. */
  MigrationPipe sender(Path directory, String handoff, String address, MigrationSettings settings);

  /** The sender of a hand-off that was begun before, to ask after it and to end it. */
  default MigrationPipe sender(Path directory, String handoff) {
    return sender(directory, handoff, "", MigrationSettings.usual(false));
  }

  /** What such a pipe has measured of the path lately, if it tells. */
  default Optional<LastProgress> progress(Path directory, String handoff) {
    return Optional.empty();
  }
}
