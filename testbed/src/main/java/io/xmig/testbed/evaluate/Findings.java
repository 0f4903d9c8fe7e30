package io.xmig.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an evaluation has found so far.
 *
 * @param migrations in the order they were done
 * @param asides the rest; of the same id the last one counts
 */
record Findings(List<Measurement> migrations, List<Aside> asides) {
  static final Findings NONE = new Findings(List.of(), List.of());

  Findings {
    migrations = List.copyOf(migrations);
    asides = List.copyOf(asides);
  }

  Findings and(Measurement measurement) {
    List<Measurement> more = new ArrayList<>(migrations);
    more.add(measurement);
    return new Findings(more, asides);
  }

  Findings and(Aside aside) {
    List<Aside> more = new ArrayList<>(asides);
    more.removeIf(a -> a.id().equals(aside.id()));
    more.add(aside);
    return new Findings(migrations, more);
  }

  /** Without what has failed and will be tried again. */
  Findings successes() {
    return new Findings(
        migrations.stream().filter(Measurement::ok).toList(),
        asides.stream().filter(a -> a.value() != null).toList());
  }

  @Nullable Aside aside(String id) {
    return asides.stream().filter(a -> a.id().equals(id)).findFirst().orElse(null);
  }
}
