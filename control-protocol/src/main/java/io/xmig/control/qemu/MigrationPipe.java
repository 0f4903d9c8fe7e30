package io.xmig.control.qemu;

import java.io.IOException;
import java.util.OptionalInt;

/**
 * One end of a transfer that QEMU writes its migration stream to or reads it from, whoever runs it.
 *
 * <p>What is known of it is in files, so that an object made by a successor of the program that
 * began the transfer answers the same.
 *
 * @threading any; calls may wait for files and sockets of this host
 */
public interface MigrationPipe {
  /**
   * Forgets an earlier run and makes ready for a new one; to be called before QEMU is given {@link
   * #uri}.
   *
   * @throws IOException if there can be none
   */
  void prepare() throws IOException;

  /** The text for {@code migrate} and {@code migrate-incoming}. */
  String uri();

  /** The exit status once the transfer has ended; 128 + n if signal n ended it. */
  OptionalInt exitStatus();

  /** Why it has failed, if it has and that is known; else nothing. */
  default String lastWords() {
    return "";
  }

  /** Ends it at once, if it runs; its end is what unblocks a QEMU that is writing to it. */
  void kill();

  /** Asks it to end, so that it can still tell its peer. */
  void terminate();
}
