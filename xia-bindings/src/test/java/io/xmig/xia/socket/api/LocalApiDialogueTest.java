package io.xmig.xia.socket.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.sun.management.ThreadMXBean;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import io.xmig.xia.testkit.Vectors;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The recorded dialogues between programs and the prototype's Click, with our node in Click's
 * place: the recorded requests go in, the recorded replies must come out, byte by byte.
 */
class LocalApiDialogueTest {
  private static final Xid AD0 = Xid.parse("AD:1000000000000000000000000000000000000000");
  private static final Xid AD1 = Xid.parse("AD:1000000000000000000000000000000000000001");
  private static final Xid HID0 = Xid.parse("HID:0000000000000000000000000000000000000000");
  private static final Xid HID1 = Xid.parse("HID:0000000000000000000000000000000000000001");
  private static final Xid SERVICE = Xid.parse("SID:0f00000000000000000000000000000000000888");
  private static final Xid CHUNK = Xid.parse("CID:eff7169253d54486f634d5ffd36192881d396a7b");
  private static final Xid NOBODYS = Xid.parse("CID:00000000000000000000000000000000deadbeef");
  private static final int PORT = 40_000;
  private static final int ACCEPTED = 40_001;

  private record Sent(int port, byte[] bytes) {}

  private final Deque<Sent> sent = new ArrayDeque<>();
  private final GoldenStack stack = new GoldenStack(new LocalAddress(AD1, HID1, null));
  private final LocalApi api =
      new LocalApi(
          stack,
          false,
          (port, message) -> {
            byte[] bytes = new byte[message.remaining()];
            message.get(bytes);
            sent.add(new Sent(port, bytes));
          });

  private static byte[] vector(String name) {
    return Vectors.get("api", name).bytes();
  }

  private void programSends(String name) {
    programSends(PORT, name);
  }

  private void programSends(int port, String name) {
    api.datagram(port, ByteBuffer.wrap(vector(name)));
  }

  private void programGets(String name) {
    programGets(PORT, name);
  }

  private void programGets(int port, String name) {
    Sent next = sent.poll();
    assertThat(next).as("a message like " + name).isNotNull();
    assertThat(next.port()).isEqualTo(port);
    assertThat(HexFormat.of().formatHex(next.bytes()))
        .isEqualTo(HexFormat.of().formatHex(vector(name)));
  }

  private void programGetsNothing() {
    assertThat(sent).isEmpty();
  }

  private void opened(String request) {
    programSends(request);
    programGets("xsocket_reply");
  }

  private static ByteBuffer payload(String name) throws Exception {
    XSocketMsg message = XSocketMsg.parseFrom(vector(name));
    ByteString payload =
        switch (message.getType()) {
          case XSEND -> message.getXSend().getPayload();
          case XSENDTO -> message.getXSendto().getPayload();
          case XRECV -> message.getXRecv().getPayload();
          case XREADCHUNK -> message.getXReadchunk().getPayload();
          default -> throw new IllegalArgumentException(name);
        };
    return payload.asReadOnlyByteBuffer();
  }

  private static Dag dag(String name) throws Exception {
    return Dag.parse(XSocketMsg.parseFrom(vector(name)).getXRecv().getDag());
  }

  @Test
  void theClientOfAStreamHearsWhatClickTellsIt() throws Exception {
    opened("xsocket_stream_request");
    programSends("xconnect_request");
    programGetsNothing();
    assertThat(stack.calls).containsExactly("connect " + Dag.path(AD0, HID0, SERVICE).toString());
    GoldenStack.Connection connection =
        new GoldenStack.Connection(stack.address.host(), Dag.path(AD0, HID0, SERVICE));

    stack.connected.complete(connection);
    programGets("xconnect_granted");
    programSends("xsend_request");
    assertThat(connection.written.toString()).isEqualTo(GoldenStack.hex(payload("xsend_request")));
    programGetsNothing();
    connection.readable = payload("xsend_request_server");
    stack.connecting.onReadable(connection);
    programGets("xrecv_stream_reply");
    programSends("xclose_request");
    programGets("xclose_reply");
  }

  @Test
  void theServerOfAStreamHearsWhatClickTellsIt() throws Exception {
    stack.address = new LocalAddress(AD0, HID0, null);
    opened("xsocket_stream_request");
    programSends("xbind_full_dag_request");
    programGets("xbind_reply");
    GoldenStack.Connection connection =
        new GoldenStack.Connection(Dag.path(AD0, HID0, SERVICE), dag("xaccept_syn_notification"));

    var handler = stack.listeners.get(SERVICE).accept(connection);
    programGets("xaccept_syn_notification");
    programSends(ACCEPTED, "xaccept_request");
    programGets(ACCEPTED, "xaccept_reply");
    programSends(ACCEPTED, "xgetpeername_request");
    programGets(ACCEPTED, "xgetpeername_reply");
    programSends(ACCEPTED, "xgetsockname_request");
    programGets(ACCEPTED, "xgetsockname_reply");
    connection.readable = payload("xsend_request");
    handler.onReadable(connection);
    programGets(ACCEPTED, "xrecv_stream_data");
    programSends(ACCEPTED, "xsend_request_server");
    assertThat(connection.written.toString())
        .isEqualTo(GoldenStack.hex(payload("xsend_request_server")));
  }

  @Test
  void datagramsGoAndComeAsRecorded() throws Exception {
    opened("xsocket_dgram_request");
    programSends("xbind_sid_only_request");
    programGets("xbind_reply");
    programSends("xsendto_reply_request");
    XSocketMsg request = XSocketMsg.parseFrom(vector("xsendto_reply_request"));
    assertThat(stack.calls)
        .containsExactly(
            "send "
                + Dag.parse(request.getXSendto().getDdag())
                + " "
                + GoldenStack.hex(payload("xsendto_reply_request")));

    stack.datagrams.onDatagram(dag("xrecvfrom_data"), payload("xrecvfrom_data"), 0);
    programGets("xrecvfrom_data");
    programGetsNothing();
  }

  @Test
  void factsAboutTheHostAreToldInClicksWords() {
    opened("xsocket_dgram_request");
    programSends("xreadlocalhostaddr_request");
    programGets("xreadlocalhostaddr_reply");
    programSends("xisdualstackrouter_request");
    programGets("xisdualstackrouter_reply");
    programSends("xupdatenameserverdag_request");
    programGetsNothing();
    programSends("xreadnameserverdag_request");
    programGets("xreadnameserverdag_reply");
    programSends("xupdatead_request");
    programGetsNothing();
    assertThat(stack.calls).containsExactly("updateAd " + AD1 + " null");
  }

  @Test
  void optionsAreKeptPerSocket() {
    opened("xsocket_stream_request");
    programSends("xsetsockopt_hlim_request");
    programGets("xsetsockopt_reply");
    programSends("xgetsockopt_hlim_request");
    programGets("xgetsockopt_hlim_reply");
    programSends("xsetsockopt_hlim250_request");
    programGets("xsetsockopt_reply");
  }

  @Test
  void chunksArePutAndRemovedAsRecorded() throws Exception {
    opened("xsocket_chunk_request");
    programSends("xputchunk_request");
    XSocketMsg expected = XSocketMsg.parseFrom(vector("xputchunk_reply"));
    XSocketMsg reply = XSocketMsg.parseFrom(sent.poll().bytes());
    assertThat(reply.getXPutchunk().getTimestamp()).isBetween(1_700_000_000L, 10_000_000_000L);
    XSocketMsg.Builder sameTime = reply.toBuilder();
    sameTime.getXPutchunkBuilder().setTimestamp(expected.getXPutchunk().getTimestamp());
    assertThat(sameTime.build().toByteArray()).isEqualTo(vector("xputchunk_reply"));
    assertThat(stack.calls).containsExactly("slice 2000000 20", "put " + CHUNK.idHex());

    programSends("xremovechunk_request");
    programGets("xremovechunk_reply");
    assertThat(stack.calls).contains("remove 386cca3a4c6deec7ae2ec44c7de895503afbc83f");
  }

  @Test
  void aChunkIsWaitingThenReadyThenRead() throws Exception {
    opened("xsocket_chunk_request");
    programSends("xrequestchunk_request");
    programSends("xgetchunkstatus_request");
    programGets("xgetchunkstatus_reply_waiting");
    ByteBuffer chunk = payload("xreadchunk_reply");
    assertThat(Cid.of(chunk.duplicate())).isEqualTo(CHUNK);

    stack.requests.get(CHUNK).onChunk(CHUNK, chunk);
    programSends("xgetchunkstatus_request");
    programGets("xgetchunkstatus_reply_ready");
    programSends("xreadchunk_request");
    XSocketMsg reply = XSocketMsg.parseFrom(sent.poll().bytes());
    Dag reader = Dag.parse(reply.getXReadchunk().getDag());
    assertThat(reader.intent().toString()).startsWith("SID:30000ff0000000000000000000000000");
    XSocketMsg expected = XSocketMsg.parseFrom(vector("xreadchunk_reply"));
    XSocketMsg.Builder sameReader = reply.toBuilder();
    sameReader.getXReadchunkBuilder().setDag(expected.getXReadchunk().getDag());
    assertThat(reply.getXReadchunk().getDag())
        .hasSameSizeAs(expected.getXReadchunk().getDag())
        .startsWith(expected.getXReadchunk().getDag().substring(0, 124));
    assertThat(sameReader.build().toByteArray()).isEqualTo(vector("xreadchunk_reply"));
  }

  @Test
  void aChunkThatWasNeverRequestedHasFailedAndOneThatNobodyHasIsWaitedFor() {
    opened("xsocket_chunk_request");
    byte[] question = ask(MsgType.XGETCHUNKSTATUS, "CID list request status query\0");
    api.datagram(PORT, ByteBuffer.wrap(question));
    programGets("xgetchunkstatus_reply_failed");
    api.datagram(PORT, ByteBuffer.wrap(ask(MsgType.XREQUESTCHUNK, "Chunk request\0")));
    api.datagram(PORT, ByteBuffer.wrap(question));
    programGets("xgetchunkstatus_reply_absent");
  }

  private static byte[] ask(MsgType type, String payload) {
    String text = Dag.withFallback(java.util.List.of(AD0, HID0), NOBODYS).toString();
    XSocketMsg.Builder message = XSocketMsg.newBuilder().setType(type);
    if (type == MsgType.XREQUESTCHUNK) {
      message.getXRequestchunkBuilder().addDag(text).setPayload(ByteString.copyFromUtf8(payload));
    } else {
      message.getXGetchunkstatusBuilder().addDag(text).setPayload(ByteString.copyFromUtf8(payload));
    }
    return message.build().toByteArray();
  }

  @Test
  void rawSocketsHearWholePackets() throws Exception {
    opened("xsocket_raw_request");
    programSends("raw_setsockopt_next_proto_request");
    programGets("xsetsockopt_reply");
    programSends("raw_sendto_request");
    XSocketMsg request = XSocketMsg.parseFrom(vector("raw_sendto_request"));
    assertThat(stack.calls)
        .containsExactly(
            "echo "
                + Dag.parse(request.getXSendto().getDdag())
                + " "
                + idAndSequence(request)
                + " 250");
    ByteBuffer packet = payload("raw_recv");
    int nodes = packet.get(5) + packet.get(6);

    XcmpHandler handler = stack.xcmp;
    handler.onPacket(
        dag("raw_recv"), packet.duplicate(), packet.slice().position(8 + 28 * nodes).slice());
    programGets("raw_recv");
  }

  private static String idAndSequence(XSocketMsg request) {
    ByteString m = request.getXSendto().getPayload();
    int id = m.byteAt(4) & 0xff | (m.byteAt(5) & 0xff) << 8;
    int sequence = m.byteAt(6) & 0xff | (m.byteAt(7) & 0xff) << 8;
    return id + " " + sequence;
  }

  @Test
  void namesAreRegisteredAndAskedForThroughDatagrams() throws Exception {
    stack.nameServer =
        Dag.parse(
            XSocketMsg.parseFrom(vector("xregistername_4_readns_reply"))
                .getXReadnameserverdag()
                .getDag());
    for (String call : new String[] {"xregistername", "xgetdagbyname"}) {
      stack.calls.clear();
      programSends(call + "_1_socket");
      programGets(call + "_2_socket_reply");
      programSends(call + "_3_readns");
      programGets(call + "_4_readns_reply");
      programSends(call + "_5_sendto");
      assertThat(stack.calls).singleElement().asString().startsWith("send RE ( IP:");
      stack.datagrams.onDatagram(dag(call + "_6_recv"), payload(call + "_6_recv"), 0);
      programGets(call + "_6_recv");
      programSends(call + "_7_close");
      programGets(call + "_8_close_reply");
    }
  }

  @Test
  void whatIsWrongIsAnsweredAsClickAnswersIt() throws Exception {
    opened("xsocket_stream_request");
    XSocketMsg.Builder nonsense = XSocketMsg.newBuilder().setType(MsgType.XBIND);
    nonsense.getXBindBuilder().setSdag("RE ( AD");
    api.datagram(PORT, ByteBuffer.wrap(nonsense.build().toByteArray()));
    XSocketMsg answer = XSocketMsg.parseFrom(sent.poll().bytes());
    assertThat(answer.getXResult().getReturnCode()).isEqualTo(-1);
    assertThat(answer.getXResult().getErrCode()).isEqualTo(99);

    programSends(ACCEPTED, "xaccept_request");
    answer = XSocketMsg.parseFrom(sent.poll().bytes());
    assertThat(answer.getXResult().getType()).isEqualTo(MsgType.XACCEPT);
    assertThat(answer.getXResult().getErrCode()).isEqualTo(103);
  }

  @Test
  void fieldsOfLaterReleasesAreIgnored() throws Exception {
    XSocketMsg later =
        XSocketMsg.parseFrom(vector("xsocket_stream_request")).toBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(40, UnknownFieldSet.Field.newBuilder().addVarint(7).build())
                    .addField(
                        41,
                        UnknownFieldSet.Field.newBuilder()
                            .addLengthDelimited(ByteString.copyFromUtf8("later"))
                            .build())
                    .build())
            .build();
    api.datagram(PORT, ByteBuffer.wrap(later.toByteArray()));
    programGets("xsocket_reply");
  }

  @Test
  void aVectorCutAnywhereNeitherFailsNorLeavesTheNodeUnableToAnswer() {
    for (Vectors.Vector vector : Vectors.load("api")) {
      byte[] bytes = vector.bytes();
      for (int length = 0; length <= bytes.length; length++) {
        api.datagram(PORT, ByteBuffer.wrap(bytes, 0, length).slice());
      }
    }
    sent.clear();
    opened("xsocket_dgram_request");
    programSends("xreadlocalhostaddr_request");
    programGets("xreadlocalhostaddr_reply");
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void programsThatLieDoNotStopTheNode(long seed) {
    Random random = new Random(seed);
    var vectors = Vectors.load("api");
    for (int i = 0; i < 100; i++) {
      byte[] bytes = vectors.get(random.nextInt(vectors.size())).bytes();
      for (int flips = random.nextInt(4); flips > 0; flips--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      api.datagram(PORT + random.nextInt(4), ByteBuffer.wrap(bytes));
      stack.loop.run(Duration.ofMillis(10));
    }
    sent.clear();
    stack.address = new LocalAddress(AD1, HID1, null);
    opened("xsocket_dgram_request");
    programSends("xreadlocalhostaddr_request");
    programGets("xreadlocalhostaddr_reply");
  }

  /** Bytes that one datagram makes the node allocate, once the classes are loaded. */
  private long allocatedFor(byte[] datagram) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long spent = 0;
    for (int i = 0; i < 5; i++) {
      ByteBuffer copy = ByteBuffer.wrap(datagram.clone());
      long before = threads.getCurrentThreadAllocatedBytes();
      api.datagram(PORT, copy);
      spent = threads.getCurrentThreadAllocatedBytes() - before;
    }
    return spent;
  }

  @Test
  void noDatagramMakesTheNodeAllocateMoreThanAFewHundredTimesItsSize() {
    String shortest = "RE AD:1";
    XSocketMsg.XGetchunkstatus.Builder status = XSocketMsg.XGetchunkstatus.newBuilder();
    XSocketMsg.XRequestchunk.Builder request = XSocketMsg.XRequestchunk.newBuilder();
    UnknownFieldSet.Builder unknown = UnknownFieldSet.newBuilder();
    for (int i = 0; i < 6000; i++) {
      status.addDag(shortest);
      request.addDag(shortest);
      unknown.mergeVarintField(200 + i, i);
    }
    List<byte[]> hostile =
        List.of(
            XSocketMsg.newBuilder()
                .setType(XSocketMsg.MsgType.XGETCHUNKSTATUS)
                .setXGetchunkstatus(status)
                .build()
                .toByteArray(),
            XSocketMsg.newBuilder()
                .setType(XSocketMsg.MsgType.XREQUESTCHUNK)
                .setXRequestchunk(request)
                .setUnknownFields(
                    UnknownFieldSet.newBuilder().mergeVarintField(106, Integer.MAX_VALUE).build())
                .build()
                .toByteArray(),
            XSocketMsg.newBuilder()
                .setType(XSocketMsg.MsgType.XCLOSE)
                .setUnknownFields(unknown.build())
                .build()
                .toByteArray(),
            // texts and bytes that claim to be two gigabytes long
            new byte[] {8, 13, 114, -1, -1, -1, -1, 7, 10, -1, -1, -1, -1, 7},
            new byte[] {8, 12, 106, -1, -1, -1, -1, 15});
    opened("xsocket_chunk_request");

    for (byte[] datagram : hostile) {
      assertThat(allocatedFor(datagram)).isLessThan(600L * datagram.length + (1 << 20));
    }
  }
}
