package io.xmig.xia.testkit;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Registered for every test: what is awaited may take long on a slow or busy machine. The limit is
 * there for what never comes.
 */
public final class Patience implements BeforeAllCallback {
  /** Limit of {@code await()} where a test names none. */
  public static final Duration LIMIT = Duration.ofSeconds(60);

  @Override
  public void beforeAll(ExtensionContext context) {
    Awaitility.setDefaultTimeout(LIMIT);
  }
}
