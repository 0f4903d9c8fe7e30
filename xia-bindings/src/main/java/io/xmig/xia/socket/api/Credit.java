package io.xmig.xia.socket.api;

import com.google.protobuf.UnknownFieldSet;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import org.jspecify.annotations.Nullable;

/**
 * Flow control between node and program, which the prototype's local protocol lacks. A library that
 * knows it offers it in the {@code temp} field of XSOCKET, which Click ignores; the node then adds
 * field 100 (the window in bytes) to its answer, which the prototype's library ignores. From then
 * on each side tells the other in field 101 of an XSEND or XRECV message without a body how many
 * bytes of that direction it has consumed since the socket was opened. The node's reports go to a
 * port of their own that the library names, so that they never make the socket look readable.
 *
 * @source local choice: the prototype loses what a program does not read in time
 *     (docs/xsocket-api.md)
 */
final class Credit {
  /** What a library writes into {@code temp} to offer flow control. */
  static final String OFFER = "credit/1";

  /**
   * Bytes that may be under way in one direction; well below the kernel's smallest default buffer.
   */
  static final int WINDOW = 96 * 1024;

  /** The smallest window, if many streams share the node's buffer. */
  static final int SMALLEST_WINDOW = 16 * 1024;

  /**
   * Field beside XREQUESTCHUNK: the number of the first chunk, which is to be sent as it arrives;
   * beside the answer: the number of that chunk.
   */
  static final int NUMBER_FIELD = 106;

  /** Field beside XACCEPT: port of the socket whose connection is accepted. */
  static final int LISTENER_FIELD = 102;

  private static final int WINDOW_FIELD = 100;
  private static final int CONSUMED_FIELD = 101;
  private static final int REPORT_PORT_FIELD = 103;
  private static final int END_FIELD = 104;
  private static final int OFFSET_FIELD = 105;
  private static final int MAX_PORT = 65_535;

  private final boolean on;
  private final int window;
  private final int reportPort;
  private long pushed;
  private long readByProgram;
  private long arrived;
  private long taken;
  private long announced;

  private Credit(boolean on, int window, int reportPort) {
    this.on = on;
    this.window = window;
    this.reportPort = reportPort;
  }

  /**
   * Flow control as a library offers it in XSOCKET.
   *
   * @param window bytes that may be under way from the program
   */
  static Credit offeredBy(XSocketMsg message, int window) {
    return of(OFFER.equals(message.getXSocket().getTemp()), message, window);
  }

  /** Credit for a connection that XACCEPT takes from a socket with this one. */
  Credit acceptedBy(XSocketMsg message, int window) {
    return of(on, message, window);
  }

  private static Credit of(boolean on, XSocketMsg message, int window) {
    Long port = number(message, REPORT_PORT_FIELD);
    return new Credit(
        on, window, port == null || port < 1 || port > MAX_PORT ? 0 : port.intValue());
  }

  /** Bytes that may be under way from the program; 0 when off. */
  int window() {
    return on ? window : 0;
  }

  /** Where reports go: the port named by the library, else that of the socket. */
  int reportPort(int socket) {
    return reportPort == 0 ? socket : reportPort;
  }

  /** Whether a piece follows on what has come; false when a datagram was lost on the way. */
  boolean inOrder(XSocketMsg message) {
    Long offset = number(message, OFFSET_FIELD);
    return !on || offset == null || offset == arrived;
  }

  /** Bytes came from the program. */
  void arrived(int bytes) {
    arrived += bytes;
  }

  boolean isOn() {
    return on;
  }

  /** Bytes that may be pushed to the program now; meaningless when off. */
  long room() {
    return WINDOW - (pushed - readByProgram);
  }

  /** Whether the program has not yet read something that was pushed to it. */
  boolean isWaiting() {
    return pushed > readByProgram;
  }

  void pushed(int bytes) {
    pushed += bytes;
  }

  /** The program says how many bytes it has read in all; what cannot be is ignored. */
  void read(long total) {
    if (total > readByProgram && total <= pushed) {
      readByProgram = total;
    }
  }

  /**
   * Bytes of the program were handed to the connection.
   *
   * @return the total to announce to the program now, or −1 if that can wait
   */
  long taken(int bytes) {
    taken += bytes;
    if (on && taken - announced >= window / 4) {
      announced = taken;
      return taken;
    }
    return -1;
  }

  /** Adds the window to an answer, if there is one. */
  XSocketMsg.Builder announce(XSocketMsg.Builder reply) {
    return on ? withField(reply, WINDOW_FIELD, window) : reply;
  }

  /** Says that nothing more will come: 0 in order, else why, as a number of errno. */
  static XSocketMsg.Builder end(XSocketMsg.MsgType direction, int why) {
    return withField(XSocketMsg.newBuilder().setType(direction), END_FIELD, why);
  }

  /** Says which of the requested chunks an answer is about. */
  static XSocketMsg.Builder numbered(XSocketMsg.Builder message, long number) {
    return withField(message, NUMBER_FIELD, number);
  }

  static XSocketMsg.Builder consumed(long total) {
    return withField(
        XSocketMsg.newBuilder().setType(XSocketMsg.MsgType.XSEND), CONSUMED_FIELD, total);
  }

  /**
   * The count in a message about consumed bytes, or {@code null} if the message is something else.
   */
  static @Nullable Long consumedIn(XSocketMsg message) {
    return number(message, CONSUMED_FIELD);
  }

  /** A number beside the sub-message, {@code null} if it is not there. */
  static @Nullable Long number(XSocketMsg message, int fieldNumber) {
    UnknownFieldSet.Field field = message.getUnknownFields().getField(fieldNumber);
    return field.getVarintList().isEmpty() ? null : field.getVarintList().get(0);
  }

  private static XSocketMsg.Builder withField(XSocketMsg.Builder message, int number, long value) {
    return message.setUnknownFields(
        UnknownFieldSet.newBuilder()
            .addField(number, UnknownFieldSet.Field.newBuilder().addVarint(value).build())
            .build());
  }
}
