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
 * A gateway tells a host why its registration was refused, and what it must exceed.
 *
 * <pre>
 *  0 24  HID of the host
 * 24  8  sequence number refused
 * 32  1  reason ({@link Refusal#code})
 * 33  8  newest sequence number known of the host, 0 if none
 * </pre>
 *
 * Only sent in answer to statements whose signature was genuine.
 */
public record RefusalNote(Xid hid, long sequence, Refusal reason, long known) {
  /** Signs the note. */
  public Envelope seal(Signer gateway, @Nullable Delegation delegation, long stamp) {
    ByteBuffer out = ByteBuffer.allocate(41);
    Location.put(out, hid);
    out.putLong(sequence).put((byte) reason.code()).putLong(known);
    return Envelope.seal(gateway, delegation, Envelope.KIND_REFUSED, stamp, out.array());
  }

  /** Reads a note; the signature is not checked here. */
  public static RefusalNote of(Envelope envelope) {
    if (envelope.kind() != Envelope.KIND_REFUSED) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a refusal", Map.of("kind", envelope.kind()));
    }
    Reader in = new Reader("refusal", envelope.body());
    Xid hid = Location.typed(in, XidType.HID);
    long sequence = in.i64();
    Refusal reason = Refusal.ofCode(in.u8());
    long known = in.i64();
    in.end();
    return new RefusalNote(hid, sequence, reason, known);
  }
}
