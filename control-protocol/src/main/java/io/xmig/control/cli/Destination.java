package io.xmig.control.cli;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.names.NameClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.apache.commons.codec.digest.DigestUtils;

/** What users write for services and destinations, and what it stands for. */
final class Destination {
  /** The service that is meant when only a host is named. */
  static final String DEFAULT_SERVICE = "migration";

  private static final Duration LOOKUP = Duration.ofSeconds(3);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}");

  private Destination() {}

  /** Whether the text is a name rather than an address. */
  static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  /**
   * The SID of a service.
   *
   * @param text {@code SID:} and 40 digits, or a name, whose SHA-1 is taken
   * @throws DagParseException if it is neither
   */
  static Xid service(String text) {
    if (isName(text)) {
      return Xid.of(XidType.SID, DigestUtils.sha1(text.getBytes(StandardCharsets.UTF_8)));
    }
    Xid sid = Xid.parse(text);
    if (!sid.is(XidType.SID)) {
      throw new DagParseException("expected a SID or a name", text, 0);
    }
    return sid;
  }

  /**
   * A lookup that can be repeated.
   *
   * @param text a name or a DAG; if it leads to a host only, that host's default service is meant
   * @throws DagParseException if it is neither
   */
  static java.util.function.Supplier<CompletableFuture<Dag>> resolver(XiaStack stack, String text) {
    if (!isName(text)) {
      Dag dag = toService(Dag.parse(text));
      return () -> CompletableFuture.completedFuture(dag);
    }
    NameClient names = new NameClient(stack);
    return () -> names.lookup(text, LOOKUP).thenApply(Destination::toService);
  }

  /** Checks the text as {@link #resolver} would. */
  static void check(String text) {
    if (!isName(text)) {
      Dag.parse(text);
    }
  }

  private static Dag toService(Dag dag) {
    if (!dag.intent().is(XidType.HID)) {
      return dag;
    }
    List<Xid> path = new ArrayList<>(dag.nodes());
    path.add(service(DEFAULT_SERVICE));
    return Dag.path(path.toArray(new Xid[0]));
  }
}
