package io.xmig.adapt.signal;

import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Reader;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A datagram between agents, gateways and route services. The first byte tells which.
 *
 * @source docs/self-adaptation.md, "Messages"
 */
public sealed interface Signal {
  /**
   * Service of agents, gateways and routers for these messages; v1.1 nodes have no such service.
   */
  Xid SID_ADAPT = Xid.parse("SID:111000000000000000000000000000000000a001");

  /** Longest datagram accepted, bytes. */
  int MAX_LENGTH = 4096;

  /** The encoded form. */
  byte[] encode();

  /**
   * A host asks who is there. If it asks on behalf of a guest, the guest hears that somebody speaks
   * for it; nobody signs that, so it may wait a moment and nothing more.
   *
   * @param nonce comes back in the beacon and proves that it is no recording
   * @param reply whether a copy of the beacon shall be sent to the asker's address
   * @param guest on whose behalf, {@code null} for the asker's own
   */
  record Solicit(long nonce, boolean reply, @Nullable Xid guest) implements Signal {
    private static final int LENGTH = 10;
    private static final int FLAG_REPLY = 1;
    private static final int FLAG_GUEST = 2;

    @Override
    public byte[] encode() {
      int flags = (reply ? FLAG_REPLY : 0) | (guest == null ? 0 : FLAG_GUEST);
      ByteBuffer out =
          ByteBuffer.allocate(guest == null ? LENGTH : LENGTH + Xid.LENGTH)
              .put((byte) 1)
              .put((byte) flags)
              .putLong(nonce);
      if (guest != null) {
        Location.put(out, guest);
      }
      return out.array();
    }
  }

  /** A host registers: a {@link Location}. Broadcast on its link. */
  record Register(Envelope location) implements Signal {
    @Override
    public byte[] encode() {
      return one(2, location);
    }
  }

  /** A gateway's {@link Receipt}, to the host. */
  record Registered(Envelope receipt) implements Signal {
    @Override
    public byte[] encode() {
      return one(3, receipt);
    }
  }

  /** A gateway's {@link RefusalNote}, to the host. */
  record Refused(Envelope note) implements Signal {
    @Override
    public byte[] encode() {
      return one(4, note);
    }
  }

  /**
   * From the new gateway towards a former domain, from router to router.
   *
   * @param target the former domain, where the message ends
   * @param location the host's statement
   */
  record Repoint(Xid target, Envelope location) implements Signal {
    @Override
    public byte[] encode() {
      byte[] envelope = location.encode();
      ByteBuffer out = ByteBuffer.allocate(1 + Xid.LENGTH + envelope.length).put((byte) 5);
      Location.put(out, target);
      return out.put(envelope).array();
    }
  }

  /**
   * The answer, from router to router towards the new gateway; carries the statement again, so that
   * the routers of this direction learn it too.
   *
   * @param location the host's statement
   * @param receipt a {@link RepointReceipt} signed by the former gateway
   */
  record Repointed(Envelope location, Envelope receipt) implements Signal {
    @Override
    public byte[] encode() {
      byte[] first = location.encode();
      byte[] second = receipt.encode();
      return ByteBuffer.allocate(3 + first.length + second.length)
          .put((byte) 6)
          .putShort((short) first.length)
          .put(first)
          .put(second)
          .array();
    }
  }

  /** A former gateway to its hosts: forget direct routes to this host. */
  record Departed(Envelope location) implements Signal {
    @Override
    public byte[] encode() {
      return one(7, location);
    }
  }

  /** A routing daemon's message in an envelope. */
  record Routing(Envelope message) implements Signal {
    @Override
    public byte[] encode() {
      return one(8, message);
    }
  }

  /** A newer statement overtakes a redirection: whoever holds the older one lets go of it. */
  record Withdraw(Envelope location) implements Signal {
    @Override
    public byte[] encode() {
      return one(9, location);
    }
  }

  /** A beacon sent to one host, in answer to {@link Solicit}. */
  record BeaconCopy(byte[] beacon) implements Signal {
    @Override
    public byte[] encode() {
      return ByteBuffer.allocate(1 + beacon.length).put((byte) 10).put(beacon).array();
    }
  }

  private static byte[] one(int type, Envelope envelope) {
    return ByteBuffer.allocate(1 + envelope.length())
        .put((byte) type)
        .put(envelope.encode())
        .array();
  }

  /**
   * Reads a datagram; signatures are not verified yet.
   *
   * @param datagram remaining bytes; position stays
   * @throws RefusedException when it is malformed
   */
  static Signal decode(ByteBuffer datagram) {
    if (datagram.remaining() > MAX_LENGTH) {
      throw new RefusedException(
          Refusal.MALFORMED, "signal too long", Map.of("length", datagram.remaining()));
    }
    Reader in = new Reader("signal", datagram);
    int type = in.u8();
    return switch (type) {
      case 1 -> {
        int flags = in.u8();
        long nonce = in.i64();
        Xid guest = (flags & Solicit.FLAG_GUEST) == 0 ? null : Location.typed(in, XidType.HID);
        in.end();
        yield new Solicit(nonce, (flags & Solicit.FLAG_REPLY) != 0, guest);
      }
      case 2 -> new Register(Envelope.decode(in.rest()));
      case 3 -> new Registered(Envelope.decode(in.rest()));
      case 4 -> new Refused(Envelope.decode(in.rest()));
      case 5 -> {
        Xid target = Location.typed(in, XidType.AD);
        yield new Repoint(target, Envelope.decode(in.rest()));
      }
      case 6 -> {
        byte[] location = in.field(Envelope.MAX_LENGTH);
        yield new Repointed(Envelope.decode(ByteBuffer.wrap(location)), Envelope.decode(in.rest()));
      }
      case 7 -> new Departed(Envelope.decode(in.rest()));
      case 8 -> new Routing(Envelope.decode(in.rest()));
      case 9 -> new Withdraw(Envelope.decode(in.rest()));
      case 10 -> new BeaconCopy(in.bytes(in.remaining()));
      default ->
          throw new RefusedException(
              Refusal.MALFORMED, "unknown kind of signal", Map.of("type", type));
    };
  }
}
