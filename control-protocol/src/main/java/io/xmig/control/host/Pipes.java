package io.xmig.control.host;

import io.xmig.control.qemu.MigrationPipe;
import java.nio.file.Path;

/** The two programs that carry a migration stream. */
public interface Pipes {
  /** Where the receiving pipe of a hand-off can be reached; told to the source. */
  String address(String handoff);

  /** The pipe that a destination QEMU reads from. */
  MigrationPipe receiver(Path directory, String handoff);

  /** The pipe that a source QEMU writes to. */
  MigrationPipe sender(Path directory, String handoff, String address);
}
