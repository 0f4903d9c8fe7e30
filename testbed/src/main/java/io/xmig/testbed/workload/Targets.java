package io.xmig.testbed.workload;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.names.NameClient;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Addresses as a user gives them to a command: DAG text, or a name. */
public final class Targets {
  private static final Duration NAME_LIMIT = Duration.ofSeconds(3);

  private Targets() {}

  /**
   * The host meant: DAG text, or a name that the name service knows. Call it on the stack's loop.
   */
  public static CompletableFuture<Dag> host(XiaStack stack, String text) {
    if (text.startsWith("RE ") || text.startsWith("DAG ")) {
      return CompletableFuture.completedFuture(Dag.parse(text));
    }
    return new NameClient(stack).lookup(text, NAME_LIMIT);
  }

  /** A service of the host meant; a DAG that already ends in a SID is taken as it is. */
  public static CompletableFuture<Dag> service(XiaStack stack, String text, Xid sid) {
    return host(stack, text)
        .thenApply(
            dag -> {
              if (dag.intent().is(XidType.SID)) {
                return dag;
              }
              Xid ad = dag.first(XidType.AD);
              Xid hid = dag.host();
              return ad == null || hid == null ? dag.withIntent(sid) : Dag.path(ad, hid, sid);
            });
  }
}
