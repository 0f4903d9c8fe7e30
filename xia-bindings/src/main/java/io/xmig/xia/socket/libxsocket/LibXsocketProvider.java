package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.socket.StackProvider;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.control.ControlSocketClient;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code libxsocket[:PATH][@PORT[/CONTROL]]}: the prototype's library, or ours in its place. */
public final class LibXsocketProvider implements StackProvider {
  /** How long a Click that runs may take to answer. */
  static final Duration ANSWER = Duration.ofSeconds(3);

  /** Environment variable with the TCP port of Click's ControlSocket. */
  static final String CONTROL_ENVIRONMENT = "XMIG_CLICK_CONTROL";

  private static final Pattern ARGUMENT =
      Pattern.compile("(?<path>.*?)(@(?<port>[0-9]{1,5})(/(?<control>[0-9]{1,5}))?)?");

  /** What stands behind the colon. */
  record Argument(@Nullable String path, @Nullable Integer port, @Nullable Integer control) {
    static Argument parse(@Nullable String text) {
      Matcher matcher = ARGUMENT.matcher(text == null ? "" : text);
      if (!matcher.matches()) {
        return new Argument(text, null, null);
      }
      String path = matcher.group("path");
      return new Argument(
          path.isBlank() ? null : path,
          number(matcher.group("port")),
          number(matcher.group("control")));
    }

    private static @Nullable Integer number(@Nullable String digits) {
      return digits == null ? null : Integer.valueOf(digits);
    }

    /** TCP port of Click's ControlSocket: the one given, else the environment's, else 7777. */
    int controlPort(@Nullable String environment) {
      if (control != null) {
        return control;
      }
      if (environment == null || environment.isBlank()) {
        return ControlSocketClient.DEFAULT_PORT;
      }
      if (!environment.strip().matches("[0-9]{1,5}")) {
        throw new IllegalArgumentException(
            "no TCP port: '" + environment + "' (from " + CONTROL_ENVIRONMENT + ")");
      }
      return Integer.parseInt(environment.strip());
    }
  }

  @Override
  public String name() {
    return "libxsocket";
  }

  @Override
  public String usage() {
    return "libxsocket[:PATH][@PORT[/CONTROL]]: the prototype's libXsocket.so (default: the one in"
        + " LD_LIBRARY_PATH, else our own; 'ours' for our own), the UDP port of Click's API"
        + " (default: $XMIG_CLICK_PORT, else as the library finds it in xsockconf.ini) and the TCP"
        + " port of its ControlSocket (default: $XMIG_CLICK_CONTROL, else 7777)";
  }

  @Override
  public XiaStack open(@Nullable String argument) {
    Argument parsed = Argument.parse(argument);
    LibraryFinder.Found library = LibraryFinder.find(parsed.path());
    ClickPort port = ClickPort.find(parsed.port());
    int control = parsed.controlPort(System.getenv(CONTROL_ENVIRONMENT));
    Xsocket.load(library.path());
    ClickProbe probe = ClickProbe.of(port.number(), ANSWER);
    if (probe.problem() != null) {
      throw new XiaSocketException(
          XiaSocketException.Kind.NODE,
          probe.problem(),
          Map.of("port", port.number(), "port_from", port.source(), "library", library.path()));
    }
    return LibXsocketStack.open(library.path(), port, control);
  }
}
