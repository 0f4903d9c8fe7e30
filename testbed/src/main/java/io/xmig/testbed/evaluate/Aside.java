package io.xmig.testbed.evaluate;

import org.jspecify.annotations.Nullable;

/**
 * Something measured besides migrations.
 *
 * @param id which target it is for
 * @param value NaN where it could not be measured
 * @param unit of the value
 * @param note how it was measured, or why it was not
 */
record Aside(String id, @Nullable Double value, String unit, String note) {
  static final String AGENT_MB = "agent";
  static final String JAIN = "jain";
  static final String SHARED = "shared";
  static final String CHUNK = "chunk ";
  static final String FORWARD = "forward";
  static final String ALLOCATED = "allocated";

  static Aside of(String id, double value, String unit, String note) {
    return new Aside(id, Double.isNaN(value) ? null : value, unit, note);
  }

  static Aside failed(String id, String why) {
    return new Aside(id, null, "", why);
  }
}
