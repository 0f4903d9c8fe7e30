package io.xmig.xia.socket.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What our node and our library say to each other beside the prototype's messages. */
class LocalApiExtensionsTest {
  private static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000001");
  private static final Xid HID = Xid.parse("HID:0000000000000000000000000000000000000001");
  private static final Xid ONE = Xid.parse("SID:0f00000000000000000000000000000000000001");
  private static final Xid TWO = Xid.parse("SID:0f00000000000000000000000000000000000002");
  private static final int PORT = 40_000;
  private static final int REPORTS = 41_000;
  private static final int WINDOW = 100;
  private static final int CONSUMED = 101;
  private static final int LISTENER = 102;
  private static final int REPORT_PORT = 103;
  private static final int END = 104;
  private static final int OFFSET = 105;

  private record Sent(int port, XSocketMsg message) {}

  private final Deque<Sent> sent = new ArrayDeque<>();
  private final Set<Integer> dead = new HashSet<>();
  private final GoldenStack stack = new GoldenStack(new LocalAddress(AD, HID, null));
  private final LocalApi api =
      new LocalApi(
          stack,
          false,
          new LocalApi.Output() {
            @Override
            public void send(int port, ByteBuffer message) {
              try {
                sent.add(new Sent(port, XSocketMsg.parseFrom(message)));
              } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                throw new AssertionError(e);
              }
            }

            @Override
            public Set<Integer> gone(Set<Integer> ports) {
              Set<Integer> gone = new HashSet<>(ports);
              gone.retainAll(dead);
              return gone;
            }

            @Override
            public long buffer() {
              return 200_000;
            }
          });

  private static XSocketMsg.Builder beside(XSocketMsg.Builder message, int field, long value) {
    return message.mergeUnknownFields(
        UnknownFieldSet.newBuilder()
            .addField(field, UnknownFieldSet.Field.newBuilder().addVarint(value).build())
            .build());
  }

  private void send(int port, XSocketMsg.Builder message) {
    api.datagram(port, ByteBuffer.wrap(message.build().toByteArray()));
  }

  private Sent next() {
    Sent next = sent.poll();
    assertThat(next).as("a message to the program").isNotNull();
    return next;
  }

  private static long number(XSocketMsg message, int field) {
    Long value = Credit.number(message, field);
    assertThat(value).as("field " + field + " of " + message).isNotNull();
    return value;
  }

  private int open(int port) {
    XSocketMsg.Builder message = XSocketMsg.newBuilder().setType(MsgType.XSOCKET);
    message.getXSocketBuilder().setType(ApiSocket.STREAM).setTemp(Credit.OFFER);
    send(port, beside(message, REPORT_PORT, REPORTS));
    return (int) number(next().message(), WINDOW);
  }

  private GoldenStack.Connection connected(int port) {
    open(port);
    XSocketMsg.Builder message = XSocketMsg.newBuilder().setType(MsgType.XCONNECT);
    message.getXConnectBuilder().setDdag(Dag.path(AD, HID, ONE).toString());
    send(port, message);
    GoldenStack.Connection connection =
        new GoldenStack.Connection(stack.address.host(), Dag.path(AD, HID, ONE));
    stack.connected.complete(connection);
    assertThat(next().message().getType()).isEqualTo(MsgType.XRECV);
    return connection;
  }

  private void piece(int port, int bytes, long offset) {
    XSocketMsg.Builder message = XSocketMsg.newBuilder().setType(MsgType.XSEND);
    message.getXSendBuilder().setPayload(ByteString.copyFrom(new byte[bytes]));
    send(port, beside(message, OFFSET, offset));
  }

  @Test
  void whatWasTakenIsReportedToThePortThatTheLibraryNamed() {
    connected(PORT);
    piece(PORT, 15_000, 0);
    piece(PORT, 15_000, 15_000);

    Sent report = next();
    assertThat(report.port()).isEqualTo(REPORTS);
    assertThat(number(report.message(), CONSUMED)).isEqualTo(30_000);
  }

  @Test
  void aStreamThatLostAPieceOnTheWayIsBrokenOffRatherThanGoingOnWithAHole() {
    GoldenStack.Connection connection = connected(PORT);
    piece(PORT, 1000, 0);
    piece(PORT, 1000, 2000);

    assertThat(connection.written).hasSize(2 * 1000);
    Sent end = next();
    assertThat(end.port()).isEqualTo(PORT);
    assertThat(number(end.message(), END)).isEqualTo(104);
    Sent forSenders = next();
    assertThat(forSenders.port()).isEqualTo(REPORTS);
    assertThat(number(forSenders.message(), END)).isEqualTo(104);
  }

  @Test
  void theWindowsOfManyStreamsStayWithinTheSocketThatTakesThem() {
    int first = open(PORT);
    int second = open(PORT + 1);
    int third = open(PORT + 2);

    assertThat(first).isEqualTo(Credit.WINDOW);
    assertThat(second).isBetween(Credit.SMALLEST_WINDOW, (200_000 - first) / 2);
    assertThat(third).isLessThan(second);
    for (int i = 3; i < 50; i++) {
      assertThat(open(PORT + i)).isGreaterThanOrEqualTo(Credit.SMALLEST_WINDOW);
    }
  }

  private void bind(int port, Xid sid) {
    open(port);
    XSocketMsg.Builder message = XSocketMsg.newBuilder().setType(MsgType.XBIND);
    message.getXBindBuilder().setSdag(stack.address.service(sid).toString());
    send(port, message);
    assertThat(next().message().getXResult().getReturnCode()).isZero();
  }

  private void arrives(Xid at, Xid from) {
    stack
        .listeners
        .get(at)
        .accept(new GoldenStack.Connection(stack.address.service(at), Dag.path(AD, HID, from)));
    next();
  }

  @Test
  void aConnectionIsAcceptedFromTheSocketThatTheLibraryNames() {
    bind(PORT, ONE);
    bind(PORT + 1, TWO);
    arrives(ONE, Xid.parse("SID:0f000000000000000000000000000000000000a1"));
    arrives(TWO, Xid.parse("SID:0f000000000000000000000000000000000000a2"));

    send(PORT + 2, beside(XSocketMsg.newBuilder().setType(MsgType.XACCEPT), LISTENER, PORT + 1));
    assertThat(next().message().getXAccept().getDag()).endsWith("a2");
    send(PORT + 3, XSocketMsg.newBuilder().setType(MsgType.XACCEPT));
    assertThat(next().message().getXAccept().getDag()).endsWith("a1");
  }

  @Test
  void connectionsThatNobodyAcceptsAreRefusedAtALimit() {
    bind(PORT, ONE);
    for (int i = 0; i < 200; i++) {
      stack
          .listeners
          .get(ONE)
          .accept(new GoldenStack.Connection(stack.address.service(ONE), Dag.path(AD, HID, TWO)));
    }

    assertThat(sent).hasSize(ApiSocket.BACKLOG);
  }

  @Test
  void theSocketsOfAProgramThatDiedAreClosed() {
    bind(PORT, ONE);
    stack.loop.run(Duration.ofSeconds(20));
    assertThat(stack.calls).doesNotContain("close " + ONE);

    dead.add(PORT);
    stack.loop.run(Duration.ofSeconds(20));
    assertThat(stack.calls).contains("close " + ONE);
  }

  @Test
  void theEndOfAStreamIsToldBehindItsBytes() {
    GoldenStack.Connection connection = connected(PORT);
    connection.readable = ByteBuffer.wrap(new byte[10]);
    stack.connecting.onClosed(
        connection, new XiaSocketException(XiaSocketException.Kind.RESET, "reset"));

    assertThat(number(next().message(), END)).as("to whoever sends").isEqualTo(104);
    assertThat(next().message().getXRecv().getPayload().size()).isEqualTo(10);
  }
}
