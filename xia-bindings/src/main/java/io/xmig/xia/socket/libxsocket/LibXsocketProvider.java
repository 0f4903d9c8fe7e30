package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.socket.StackProvider;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code libxsocket[:PATH][@PORT]}: the prototype's library, or ours in its place. */
public final class LibXsocketProvider implements StackProvider {
  /** How long a Click that runs may take to answer. */
  static final Duration ANSWER = Duration.ofSeconds(3);

  private static final Pattern ARGUMENT = Pattern.compile("(?<path>.*?)(@(?<port>[0-9]{1,5}))?");

  /** What stands behind the colon. */
  record Argument(@Nullable String path, @Nullable Integer port) {
    static Argument parse(@Nullable String text) {
      Matcher matcher = ARGUMENT.matcher(text == null ? "" : text);
      if (!matcher.matches()) {
        return new Argument(text, null);
      }
      String path = matcher.group("path");
      String port = matcher.group("port");
      return new Argument(
          path.isBlank() ? null : path, port == null ? null : Integer.valueOf(port));
    }
  }

  @Override
  public String name() {
    return "libxsocket";
  }

  @Override
  public String usage() {
    return "libxsocket[:PATH][@PORT]: the prototype's libXsocket.so (default: the one in"
        + " LD_LIBRARY_PATH, else our own; 'ours' for our own) and the UDP port of Click's API"
        + " (default: $XMIG_CLICK_PORT, else as the library finds it in xsockconf.ini)";
  }

  @Override
  public XiaStack open(@Nullable String argument) {
    Argument parsed = Argument.parse(argument);
    LibraryFinder.Found library = LibraryFinder.find(parsed.path());
    ClickPort port = ClickPort.find(parsed.port());
    Xsocket.load(library.path());
    ClickProbe probe = ClickProbe.of(port.number(), ANSWER);
    if (probe.problem() != null) {
      throw new XiaSocketException(
          XiaSocketException.Kind.NODE,
          probe.problem(),
          Map.of("port", port.number(), "port_from", port.source(), "library", library.path()));
    }
    return LibXsocketStack.open(library.path(), port);
  }
}
