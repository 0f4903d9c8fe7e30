package io.xmig.adapt.signal;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Reader;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.key.Signer;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A gateway confirms a registration and tells how far the redirection of old addresses is. Sent at
 * once and again when that changes.
 *
 * <pre>
 *  0 24  HID of the host
 * 24  8  sequence number of the statement confirmed
 * 32 24  AD of the gateway
 * 56  2  lifetime granted, seconds
 * 58  1  n: former domains
 * 59 25n AD, then 1 if its traffic is redirected, else 0
 * </pre>
 */
public record Receipt(Xid hid, long sequence, Xid ad, int lifetimeS, Map<Xid, Boolean> repointed) {
  public Receipt {
    repointed = new TreeMap<>(repointed);
  }

  /** Signs the receipt. */
  public Envelope seal(Signer gateway, @Nullable Delegation delegation, long stamp) {
    ByteBuffer out = ByteBuffer.allocate(59 + 25 * repointed.size());
    Location.put(out, hid);
    out.putLong(sequence);
    Location.put(out, ad);
    out.putShort((short) lifetimeS).put((byte) repointed.size());
    repointed.forEach(
        (former, done) -> {
          Location.put(out, former);
          out.put((byte) (done ? 1 : 0));
        });
    return Envelope.seal(gateway, delegation, Envelope.KIND_REGISTERED, stamp, out.array());
  }

  /** Reads a receipt; the signature is not checked here. */
  public static Receipt of(Envelope envelope) {
    if (envelope.kind() != Envelope.KIND_REGISTERED) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a receipt", Map.of("kind", envelope.kind()));
    }
    Reader in = new Reader("receipt", envelope.body());
    Xid hid = Location.typed(in, XidType.HID);
    long sequence = in.i64();
    Xid ad = Location.typed(in, XidType.AD);
    int lifetime = in.u16();
    int count = in.u8();
    Map<Xid, Boolean> repointed = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      Xid former = Location.typed(in, XidType.AD);
      repointed.put(former, in.u8() != 0);
    }
    in.end();
    return new Receipt(hid, sequence, ad, lifetime, repointed);
  }
}
