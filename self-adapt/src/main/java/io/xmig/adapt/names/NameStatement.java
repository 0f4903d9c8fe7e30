package io.xmig.adapt.names;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Reader;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.key.Signer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A host gives one of its addresses a name.
 *
 * <pre>
 *  0  2  lifetime in units of 10 s, 0 for the server's longest
 *  2  2+n  name, UTF-8
 *  .  2+d  address, text; its last HID must be that of the key
 * </pre>
 */
public record NameStatement(String name, Dag address, int lifetimeTens) {
  /** Longest address text, bytes. */
  public static final int MAX_ADDRESS = 600;

  /** Signs the statement. */
  public Envelope seal(Signer signer, @Nullable Delegation delegation, long sequence) {
    byte[] n = name.getBytes(StandardCharsets.UTF_8);
    byte[] a = address.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(6 + n.length + a.length);
    out.putShort((short) lifetimeTens);
    out.putShort((short) n.length).put(n).putShort((short) a.length).put(a);
    return Envelope.seal(signer, delegation, Envelope.KIND_NAME, sequence, out.array());
  }

  /**
   * Reads the statement and refuses an address of another host than the key's; the signature is
   * checked by {@link Envelope#check}.
   */
  public static NameStatement of(Envelope envelope) {
    if (envelope.kind() != Envelope.KIND_NAME) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a name", Map.of("kind", envelope.kind()));
    }
    Reader in = new Reader("name statement", envelope.body());
    int lifetime = in.u16();
    String name = in.text(255);
    String text = in.text(MAX_ADDRESS);
    in.end();
    if (name.isBlank() || name.indexOf('\0') >= 0) {
      throw new RefusedException(Refusal.MALFORMED, "empty name");
    }
    Dag address;
    try {
      address = Dag.parse(text);
    } catch (DagParseException e) {
      throw new RefusedException(
          Refusal.MALFORMED, "the address of a name is none", Map.of("name", name));
    }
    var host = address.host();
    if (host == null || !envelope.subject().owns(host)) {
      throw new RefusedException(
          Refusal.NOT_OWNER, "this key may not name that address", Map.of("name", name));
    }
    return new NameStatement(name, address, lifetime);
  }
}
