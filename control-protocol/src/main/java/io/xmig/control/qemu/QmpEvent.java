package io.xmig.control.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;

/**
 * Something that QEMU reports by itself.
 *
 * @param name e.g. {@code MIGRATION}, {@code STOP}, {@code RESUME}
 * @param data arguments; a missing node when there are none
 * @param time QEMU's wall clock, microseconds
 */
public record QmpEvent(String name, JsonNode data, Instant time) {
  /** A field of the data as text, "" if it is not there. */
  public String text(String field) {
    return data.path(field).asText("");
  }
}
