package io.xmig.xia.socket;

import org.jspecify.annotations.Nullable;

/** Events of one {@link StreamConnection}, on the stack's loop. */
public interface StreamHandler {
  /**
   * There are bytes to read, or the end of the stream; called again only after a read that emptied
   * the buffer.
   */
  default void onReadable(StreamConnection connection) {}

  /** There is room again after a short write. */
  default void onWritable(StreamConnection connection) {}

  /** The peer, or this end, is known under a new address. */
  default void onAddressChange(StreamConnection connection) {}

  /**
   * The connection is over; the last event.
   *
   * @param cause why, or {@code null} after an orderly close of both directions
   */
  default void onClosed(StreamConnection connection, @Nullable XiaSocketException cause) {}
}
