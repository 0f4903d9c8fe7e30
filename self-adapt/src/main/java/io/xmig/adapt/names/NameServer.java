package io.xmig.adapt.names;

import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusalLog;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.wire.NameServiceMessage;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The name service on any host: answers v1.1 queries and registrations, and signed registrations.
 *
 * @threading on the stack's loop
 */
public final class NameServer implements AutoCloseable {
  /** Names held unless told otherwise. */
  public static final int DEFAULT_CAPACITY = 100_000;

  /**
   * How a server behaves.
   *
   * @param signer key of the host; without it signed registrations are answered in v1.1 form
   * @param acceptUnsigned whether v1.1 hosts may register
   * @param capacity names held
   */
  public record Config(@Nullable Signer signer, boolean acceptUnsigned, int capacity) {}

  private final XiaStack stack;
  private final Config config;
  private final LongSupplier epochMicros;
  private final NameTable table;
  private final RefusalLog refusals = new RefusalLog("name server");
  private final NameJournal journal;
  private @Nullable DatagramSocket socket;
  private long lastStamp;
  private long queries;
  private long registrations;

  /**
   * @param journal what was held before is taken from it, what is registered is written to it; so a
   *     restart gives no name away
   * @param epochMicros wall clock, microseconds
   */
  public NameServer(
      XiaStack stack,
      Config config,
      Verifier verifier,
      NameJournal journal,
      LongSupplier epochMicros) {
    this.journal = journal;
    this.stack = stack;
    this.config = config;
    this.epochMicros = epochMicros;
    this.table = new NameTable(config.capacity(), config.acceptUnsigned(), verifier);
  }

  /** Binds SID_NS and serves. */
  public CompletableFuture<Void> start() {
    long now = stack.loop().nanoTime();
    journal.read().forEach(held -> table.restore(held, now, epochSeconds()));
    return stack
        .openDatagram(Xid.SID_NS, (source, payload, port) -> onDatagram(source, payload))
        .thenAccept(opened -> socket = opened);
  }

  private void onDatagram(Dag source, ByteBuffer payload) {
    byte[] answer;
    try {
      answer =
          Envelope.looksLikeOne(payload)
              ? signed(Envelope.decode(payload))
              : plain(NameServiceMessage.decode(payload));
    } catch (RefusedException e) {
      refusals.add(e, stack.loop().nanoTime());
      return;
    } catch (XiaException e) {
      refusals.add(
          new RefusedException(Refusal.MALFORMED, String.valueOf(e.getMessage())),
          stack.loop().nanoTime());
      return;
    }
    DatagramSocket s = socket;
    if (s != null) {
      s.send(source, ByteBuffer.wrap(answer));
    }
  }

  private long epochSeconds() {
    return epochMicros.getAsLong() / 1_000_000;
  }

  private void keep(String name, long now) {
    NameTable.Held held = table.held(name, now, epochSeconds());
    if (held != null) {
      journal.write(held);
    }
  }

  private byte[] plain(NameServiceMessage request) {
    long now = stack.loop().nanoTime();
    switch (request.type()) {
      case QUERY -> {
        queries++;
        return table
            .find(request.name(), now)
            .map(
                dag ->
                    new NameServiceMessage(NameServiceMessage.Type.RESPONSE, request.name(), dag))
            .orElseGet(() -> error(request.name()))
            .encode();
      }
      case REGISTER -> {
        try {
          table.registerUnsigned(request.name(), request.dag(), now);
          registrations++;
          keep(request.name(), now);
          return new NameServiceMessage(
                  NameServiceMessage.Type.RESPONSE, request.name(), request.dag())
              .encode();
        } catch (RefusedException e) {
          refusals.add(e, now);
          return error(request.name()).encode();
        }
      }
      default ->
          throw new RefusedException(
              Refusal.MALFORMED, "an answer, not a request", Map.of("type", request.type()));
    }
  }

  private static NameServiceMessage error(String name) {
    return new NameServiceMessage(
        NameServiceMessage.Type.ERROR, name, NameServiceMessage.NOT_FOUND);
  }

  private byte[] signed(Envelope envelope) {
    long now = stack.loop().nanoTime();
    NameStatement statement = NameStatement.of(envelope);
    Refusal refusal = null;
    int lifetime = 0;
    try {
      lifetime = table.register(envelope, now, epochSeconds());
      registrations++;
      keep(statement.name(), now);
    } catch (RefusedException e) {
      if (e.refusal() == Refusal.BAD_SIGNATURE || e.refusal() == Refusal.DELEGATION) {
        throw e; // a forger gets no answer, and no signature out of us
      }
      refusals.add(e, now);
      refusal = e.refusal();
    }
    Signer signer = config.signer();
    if (signer == null) {
      return refusal == null
          ? new NameServiceMessage(
                  NameServiceMessage.Type.RESPONSE,
                  statement.name(),
                  statement.address().toString())
              .encode()
          : error(statement.name()).encode();
    }
    lastStamp = Math.max(lastStamp + 1, epochMicros.getAsLong());
    return new NameAnswer(
            refusal,
            envelope.sequence(),
            table.known(statement.name()),
            Math.min(65_535, lifetime / 10),
            statement.name())
        .seal(signer, lastStamp)
        .encode();
  }

  /** The names held. */
  public NameTable table() {
    return table;
  }

  /** What was refused and why. */
  public RefusalLog refusals() {
    return refusals;
  }

  /** Queries answered so far. */
  public long queries() {
    return queries;
  }

  /** Registrations taken so far. */
  public long registrations() {
    return registrations;
  }

  @Override
  public void close() {
    if (socket != null) {
      socket.close();
      socket = null;
    }
  }
}
