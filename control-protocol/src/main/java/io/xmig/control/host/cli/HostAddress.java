package io.xmig.control.host.cli;

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

/** What users write for a host service, and the address it stands for. */
final class HostAddress {
  /** The service that is meant when only a host is named. */
  static final String DEFAULT_SERVICE = "host";

  private static final Duration LOOKUP = Duration.ofSeconds(3);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}");

  private HostAddress() {}

  /**
   * The SID of a service.
   *
   * @param text {@code SID:} and 40 digits, or a name, whose SHA-1 is taken
   */
  static Xid service(String text) {
    if (NAME.matcher(text).matches()) {
      return Xid.of(XidType.SID, DigestUtils.sha1(text.getBytes(StandardCharsets.UTF_8)));
    }
    Xid sid = Xid.parse(text);
    if (!sid.is(XidType.SID)) {
      throw new DagParseException("expected a SID or a name", text, 0);
    }
    return sid;
  }

  /** Finds the address of a name or DAG; of a host its default service. */
  static CompletableFuture<Dag> resolve(XiaStack stack, String text) {
    if (NAME.matcher(text).matches()) {
      return new NameClient(stack).lookup(text, LOOKUP).thenApply(HostAddress::toService);
    }
    return CompletableFuture.completedFuture(toService(Dag.parse(text)));
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
