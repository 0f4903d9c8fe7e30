package io.xmig.xia.socket.names;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.wire.MalformedPacketException;
import io.xmig.xia.wire.NameServiceMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Asks the name server of a stack for addresses and registers names with it, in the datagrams of
 * the prototype v1.1. Requests are repeated until they are answered or their time is up.
 *
 * <p>Answers carry no transaction number: each request has a socket of its own, whose ephemeral SID
 * tells its answers from others, and an answer must repeat the name.
 *
 * @threading on the stack's loop
 * @source docs/wire.md section 11
 */
public final class NameClient {
  /**
   * Longest name, bytes in UTF-8; the prototype's buffers of 1024 bytes hold it with its address.
   */
  public static final int MAX_NAME_BYTES = 255;

  private static final long FIRST_RETRY_NS = 100_000_000L;
  private static final long MAX_RETRY_NS = 1_600_000_000L;

  private final XiaStack stack;
  private final @Nullable Dag server;

  /** Asks whichever name server the stack knows at the time of each request. */
  public NameClient(XiaStack stack) {
    this(stack, null);
  }

  /** Asks this name server, or the stack's if {@code null}. */
  public NameClient(XiaStack stack, @Nullable Dag server) {
    this.stack = stack;
    this.server = server;
  }

  /**
   * The address registered for a name. C: {@code XgetDAGbyName}.
   *
   * @return fails with {@link XiaSocketException.Kind#NOT_FOUND} if the server knows no such name,
   *     with {@link XiaSocketException.Kind#TIMED_OUT} if it does not answer, with {@link
   *     XiaSocketException.Kind#BAD_ADDRESS} if no name server is known
   */
  public CompletableFuture<Dag> lookup(String name, Duration timeout) {
    return request(NameServiceMessage.query(checked(name)), timeout)
        .thenApply(answer -> address(name, answer));
  }

  /**
   * Registers an address under a name, as an unsigned v1.1 host does. C: {@code XregisterName}.
   *
   * @return completes when the server has confirmed; fails as {@link #lookup} does, and with {@link
   *     XiaSocketException.Kind#REFUSED} if the server did not take it
   */
  public CompletableFuture<Void> register(String name, Dag address, Duration timeout) {
    NameServiceMessage message =
        new NameServiceMessage(NameServiceMessage.Type.REGISTER, checked(name), address.toString());
    return request(message, timeout)
        .thenAccept(
            answer -> {
              if (answer.type() != NameServiceMessage.Type.RESPONSE) {
                throw new XiaSocketException(
                    XiaSocketException.Kind.REFUSED,
                    "the name server refused the registration",
                    Map.of("name", name, "answer", answer.dag()));
              }
            });
  }

  private static String checked(String name) {
    if (name.isBlank()
        || name.indexOf('\0') >= 0
        || name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES) {
      throw new IllegalArgumentException("a name has 1 to 255 bytes: '" + name + "'");
    }
    return name;
  }

  private static Dag address(String name, NameServiceMessage answer) {
    if (answer.type() != NameServiceMessage.Type.RESPONSE) {
      throw new XiaSocketException(
          XiaSocketException.Kind.NOT_FOUND,
          "the name server knows no such name; has its host registered it yet?",
          Map.of("name", name));
    }
    try {
      return Dag.parse(answer.dag());
    } catch (DagParseException e) {
      throw new XiaSocketException(
          XiaSocketException.Kind.BAD_ADDRESS,
          "the name server's answer is no address",
          Map.of("name", name, "answer", answer.dag()),
          e);
    }
  }

  private CompletableFuture<NameServiceMessage> request(
      NameServiceMessage message, Duration timeout) {
    CompletableFuture<@Nullable Dag> where =
        server != null ? CompletableFuture.completedFuture(server) : stack.nameServer();
    return where.thenCompose(
        to -> {
          if (to == null) {
            throw new XiaSocketException(
                XiaSocketException.Kind.BAD_ADDRESS,
                "no name server is known; wait for the gateway's beacon or name one",
                Map.of("name", message.name()));
          }
          Request request = new Request(to, message, timeout);
          stack
              .openDatagram(null, (source, payload, port) -> request.answer(payload))
              .whenComplete(request::opened);
          return request.result;
        });
  }

  private final class Request {
    final CompletableFuture<NameServiceMessage> result = new CompletableFuture<>();
    private final Dag to;
    private final NameServiceMessage message;
    private final long timeoutNs;
    private final long deadlineNs;
    private long pauseNs = FIRST_RETRY_NS;
    private int sent;
    private @Nullable DatagramSocket socket;
    private EventLoop.@Nullable Timer timer;

    Request(Dag to, NameServiceMessage message, Duration timeout) {
      this.to = to;
      this.message = message;
      this.timeoutNs = timeout.toNanos();
      this.deadlineNs = stack.loop().nanoTime() + timeoutNs;
      result.whenComplete((answer, error) -> close());
    }

    void opened(@Nullable DatagramSocket opened, @Nullable Throwable error) {
      if (opened == null) {
        result.completeExceptionally(
            error != null ? error : new IllegalStateException("no socket and no reason"));
        return;
      }
      socket = opened;
      if (result.isDone()) {
        close();
      } else {
        attempt();
      }
    }

    private void attempt() {
      DatagramSocket s = socket;
      if (s == null || result.isDone()) {
        return;
      }
      long left = deadlineNs - stack.loop().nanoTime();
      if (left <= 0) {
        result.completeExceptionally(
            new XiaSocketException(
                XiaSocketException.Kind.TIMED_OUT,
                "the name server does not answer",
                Map.of(
                    "server",
                    to,
                    "name",
                    message.name(),
                    "requests",
                    sent,
                    "ms",
                    timeoutNs / 1_000_000)));
        return;
      }
      try {
        s.send(to, ByteBuffer.wrap(message.encode()));
        sent++;
      } catch (XiaSocketException e) {
        result.completeExceptionally(e);
        return;
      }
      timer = stack.loop().schedule(Math.min(pauseNs, left), this::attempt);
      pauseNs = Math.min(2 * pauseNs, MAX_RETRY_NS);
    }

    void answer(ByteBuffer payload) {
      NameServiceMessage answer;
      try {
        answer = NameServiceMessage.decode(payload);
      } catch (MalformedPacketException e) {
        return; // whoever sent it, it is not the answer
      }
      boolean isAnswer =
          answer.type() == NameServiceMessage.Type.RESPONSE
              || answer.type() == NameServiceMessage.Type.ERROR;
      if (isAnswer && answer.name().equals(message.name())) {
        result.complete(answer);
      }
    }

    private void close() {
      if (timer != null) {
        timer.cancel();
      }
      if (socket != null) {
        socket.close();
        socket = null;
      }
    }
  }
}
