package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;

/**
 * Service identifiers for sockets that nobody named: {@code SID:30000ff0}, 24 zero digits and eight
 * random ones.
 *
 * @source XIA prototype v1.1, docs/wire.md section 1
 */
public final class EphemeralSids {
  private static final long HIGH = 0x30000ff0_00000000L;

  private EphemeralSids() {}

  /** One that is not bound on the node now. */
  public static Xid next(TransportContext node) {
    while (true) {
      Xid sid = Xid.of(XidType.SID.code(), HIGH, 0, node.random().nextInt());
      if (!node.isBound(sid)) {
        return sid;
      }
    }
  }
}
