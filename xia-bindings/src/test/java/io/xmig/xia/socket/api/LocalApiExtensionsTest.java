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
import java.util.List;
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
  private static final int NUMBER = 106;

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

  private static Dag chunk(int i) {
    return Dag.withFallback(List.of(AD, HID), Xid.parse(String.format("CID:%040x", i)));
  }

  /** Requests chunks to be sent as they arrive. */
  private void requestDelivery(int first, int count) {
    XSocketMsg.Builder request = XSocketMsg.newBuilder().setType(MsgType.XREQUESTCHUNK);
    for (int i = 0; i < count; i++) {
      request.getXRequestchunkBuilder().addDag(chunk(first + i).toString());
    }
    send(PORT, beside(request, NUMBER, first));
  }

  private void chunkSocket(String offer) {
    XSocketMsg.Builder message = XSocketMsg.newBuilder().setType(MsgType.XSOCKET);
    message.getXSocketBuilder().setType(ApiSocket.CHUNK).setTemp(offer);
    send(PORT, message);
    next();
    stack.loop.run(Duration.ofMillis(1));
  }

  @Test
  void chunksAreSentAsTheyArriveWithinTheWindowThatTheProgramOpens() {
    chunkSocket(Credit.OFFER);
    requestDelivery(100, 20);
    stack.loop.run(Duration.ofMillis(1));
    for (int i = 119; i >= 100; i--) { // the last one first
      Xid cid = chunk(i).intent();
      stack.requests.get(cid).onChunk(cid, ByteBuffer.allocate(15_600));
    }

    assertThat(sent).as("as many as fit into the window").hasSize(Credit.WINDOW / 15_600);
    long read = 0;
    for (int i = 119; i >= 100; i--) {
      XSocketMsg message = next().message();
      assertThat(message.getType()).isEqualTo(MsgType.XREADCHUNK);
      assertThat(number(message, NUMBER)).isEqualTo(i);
      assertThat(message.getXReadchunk().getPayload().size()).isEqualTo(15_600);
      read += 15_600;
      send(PORT, beside(XSocketMsg.newBuilder().setType(MsgType.XRECV), CONSUMED, read));
    }
    assertThat(sent).isEmpty();
  }

  @Test
  void aChunkThatCannotBeHadIsRefusedByItsNumber() {
    chunkSocket(Credit.OFFER);
    requestDelivery(7, 2);
    stack.loop.run(Duration.ofMillis(1));
    Xid cid = chunk(8).intent();
    stack
        .requests
        .get(cid)
        .onFailed(cid, new XiaSocketException(XiaSocketException.Kind.NOT_FOUND, "nobody has it"));

    XSocketMsg refusal = next().message();
    assertThat(number(refusal, NUMBER)).isEqualTo(8);
    assertThat(refusal.getXResult().getType()).isEqualTo(MsgType.XREADCHUNK);
    assertThat(refusal.getXResult().getErrCode()).isEqualTo(2); // ENOENT
    Xid large = chunk(7).intent();
    stack.requests.get(large).onChunk(large, ByteBuffer.allocate(60_001));
    assertThat(next().message().getXResult().getErrCode()).isEqualTo(90); // EMSGSIZE
  }

  @Test
  void aLibraryThatOffersNothingIsSentNothingUnasked() {
    chunkSocket("");
    requestDelivery(1, 1);
    stack.loop.run(Duration.ofMillis(1));
    Xid cid = chunk(1).intent();
    stack.requests.get(cid).onChunk(cid, ByteBuffer.allocate(100));

    assertThat(sent).isEmpty();
  }
}
