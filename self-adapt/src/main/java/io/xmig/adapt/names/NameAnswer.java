package io.xmig.adapt.names;

import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Reader;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.key.Signer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A name server answers a signed registration.
 *
 * <pre>
 *  0  1  0 taken, else the reason of the refusal ({@link Refusal#code})
 *  1  8  sequence number answered
 *  9  8  newest sequence number known for the name, 0 if none
 * 17  2  lifetime granted in units of 10 s
 * 19  2+n  name
 * </pre>
 */
public record NameAnswer(
    @Nullable Refusal refusal, long sequence, long known, int lifetimeTens, String name) {
  /** Signs the answer. */
  public Envelope seal(Signer server, long stamp) {
    byte[] n = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(21 + n.length);
    out.put((byte) (refusal == null ? 0 : refusal.code())).putLong(sequence).putLong(known);
    out.putShort((short) lifetimeTens).putShort((short) n.length).put(n);
    return Envelope.seal(server, null, Envelope.KIND_NAMED, stamp, out.array());
  }

  /** Reads an answer; the signature is not checked here. */
  public static NameAnswer of(Envelope envelope) {
    if (envelope.kind() != Envelope.KIND_NAMED) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a name answer", Map.of("kind", envelope.kind()));
    }
    Reader in = new Reader("name answer", envelope.body());
    int code = in.u8();
    NameAnswer answer =
        new NameAnswer(
            code == 0 ? null : Refusal.ofCode(code), in.i64(), in.i64(), in.u16(), in.text(255));
    in.end();
    return answer;
  }
}
