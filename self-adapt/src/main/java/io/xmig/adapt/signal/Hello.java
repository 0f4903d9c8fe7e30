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
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One router to those on one of its links: who it is, and whom it hears there. A router is a
 * neighbour once its HELLO repeats the challenge that we sent on that very link a moment ago, so no
 * recording makes one.
 *
 * <pre>
 *  0 24  AD of the router
 * 24 24  its HID
 * 48  8  challenge to the routers on this link
 * 56  1  n: routers heard on this link (0 to 24)
 * 57 32n HID of each and the challenge that it sent
 * </pre>
 *
 * @param challenge differs for each link, changes with time, cannot be guessed
 * @param answers challenges heard on this link, by HID
 */
public record Hello(Xid ad, Xid hid, long challenge, Map<Xid, Long> answers) {
  /** Routers that one HELLO answers. */
  public static final int MAX_ANSWERS = 24;

  public Hello {
    answers = Map.copyOf(answers);
    if (answers.size() > MAX_ANSWERS) {
      throw new IllegalArgumentException("a HELLO answers at most 24, not " + answers.size());
    }
  }

  /** Signs the HELLO. */
  public Envelope seal(Signer router, @Nullable Delegation mandate, long sequence) {
    ByteBuffer out = ByteBuffer.allocate(57 + 32 * answers.size());
    Location.put(out, ad);
    Location.put(out, hid);
    out.putLong(challenge).put((byte) answers.size());
    answers.forEach(
        (heard, answer) -> {
          Location.put(out, heard);
          out.putLong(answer);
        });
    return Envelope.seal(router, mandate, Envelope.KIND_HELLO, sequence, out.array());
  }

  /** Reads a HELLO and refuses it if the key is not the router's; the signature is not checked. */
  public static Hello of(Envelope envelope) {
    if (envelope.kind() != Envelope.KIND_HELLO) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a HELLO", Map.of("kind", envelope.kind()));
    }
    Reader in = new Reader("hello", envelope.body());
    Xid ad = Location.typed(in, XidType.AD);
    Xid hid = Location.typed(in, XidType.HID);
    long challenge = in.i64();
    int count = in.u8();
    if (count > MAX_ANSWERS) {
      throw new RefusedException(
          Refusal.MALFORMED, "too many answers in a HELLO", Map.of("count", count));
    }
    Map<Xid, Long> answers = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      answers.put(Location.typed(in, XidType.HID), in.i64());
    }
    in.end();
    if (!envelope.signer().owns(hid)) {
      throw new RefusedException(
          Refusal.NOT_OWNER, "this key is not the router's", Map.of("hid", hid));
    }
    return new Hello(ad, hid, challenge, answers);
  }
}
