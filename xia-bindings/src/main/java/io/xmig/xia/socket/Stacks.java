package io.xmig.xia.socket;

import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Opens the stack that a text names: {@code node}, {@code node:SOCKET}, {@code libxsocket}, {@code
 * libxsocket:PATH}.
 */
public final class Stacks {
  /** Environment variable that names the stack where no option does. */
  public static final String ENVIRONMENT = "XMIG_XIA";

  /** What is used when nothing is named. */
  public static final String DEFAULT = "node";

  private Stacks() {}

  /** Opens the stack that {@link #ENVIRONMENT} names, else the only node of this user. */
  public static XiaStack open() {
    return open(null);
  }

  /**
   * Opens a stack; blocks until it can be used.
   *
   * @param spec {@code NAME[:ARGUMENT]}; {@code null} or empty means the environment's, then {@link
   *     #DEFAULT}
   * @throws IllegalArgumentException if there is no stack of that name; the message lists those
   *     there are
   * @throws XiaSocketException if it cannot be opened
   */
  public static XiaStack open(@Nullable String spec) {
    String chosen = choose(spec, System.getenv(ENVIRONMENT));
    int end = endOfName(chosen);
    String name = chosen.substring(0, end);
    String argument =
        chosen.substring(end < chosen.length() && chosen.charAt(end) == ':' ? end + 1 : end);
    StackProvider provider = providers().get(name);
    if (provider == null) {
      throw new IllegalArgumentException(
          "no XIA stack '" + name + "', there are " + providers().keySet());
    }
    return provider.open(argument.isEmpty() ? null : argument);
  }

  /**
   * A colon ends a name, and so does what a stack may put there instead: {@code libxsocket@1600}.
   */
  private static int endOfName(String chosen) {
    int end = 0;
    while (end < chosen.length() && chosen.charAt(end) != ':' && chosen.charAt(end) != '@') {
      end++;
    }
    return end;
  }

  static String choose(@Nullable String spec, @Nullable String environment) {
    if (spec != null && !spec.isBlank()) {
      return spec.strip();
    }
    return environment != null && !environment.isBlank() ? environment.strip() : DEFAULT;
  }

  /** The stacks there are, by name. */
  public static Map<String, StackProvider> providers() {
    Map<String, StackProvider> known = new TreeMap<>();
    ServiceLoader.load(StackProvider.class).forEach(p -> known.put(p.name(), p));
    return known;
  }
}
