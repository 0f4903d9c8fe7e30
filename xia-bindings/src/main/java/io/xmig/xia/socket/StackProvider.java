package io.xmig.xia.socket;

import org.jspecify.annotations.Nullable;

/**
 * Opens one kind of {@link XiaStack}. Found through {@link java.util.ServiceLoader} by its name,
 * which is the word before the colon in {@code --xia NAME[:ARGUMENT]}.
 */
public interface StackProvider {
  /** The word that chooses it, e.g. {@code node} or {@code libxsocket}. */
  String name();

  /** One line for the help: what the argument means. */
  String usage();

  /**
   * Opens the stack; blocks until it can be used.
   *
   * @param argument what stands behind the colon, or {@code null}
   * @throws XiaSocketException saying what to start or install if that is not possible
   */
  XiaStack open(@Nullable String argument);
}
