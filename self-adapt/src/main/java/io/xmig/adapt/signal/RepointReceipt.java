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
import org.jspecify.annotations.Nullable;

/**
 * A former gateway confirms that it sends on what comes for a host.
 *
 * <pre>
 *  0 24  HID of the host
 * 24  8  sequence number of the host's statement
 * 32 24  AD of the former gateway
 * </pre>
 */
public record RepointReceipt(Xid hid, long sequence, Xid ad) {
  /** Signs the receipt. */
  public Envelope seal(Signer gateway, @Nullable Delegation delegation, long stamp) {
    ByteBuffer out = ByteBuffer.allocate(56);
    Location.put(out, hid);
    out.putLong(sequence);
    Location.put(out, ad);
    return Envelope.seal(gateway, delegation, Envelope.KIND_REPOINTED, stamp, out.array());
  }

  /** Reads a receipt; the signature is not checked here. */
  public static RepointReceipt of(Envelope envelope) {
    if (envelope.kind() != Envelope.KIND_REPOINTED) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a repoint receipt", Map.of("kind", envelope.kind()));
    }
    Reader in = new Reader("repoint receipt", envelope.body());
    RepointReceipt receipt =
        new RepointReceipt(
            Location.typed(in, XidType.HID), in.i64(), Location.typed(in, XidType.AD));
    in.end();
    return receipt;
  }
}
