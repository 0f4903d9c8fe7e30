package io.xmig.xia.socket.api;

import com.google.protobuf.UnknownFieldSet;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import org.jspecify.annotations.Nullable;

/**
 * Flow control between node and program, which the prototype's local protocol lacks. A library that
 * knows it offers it in the {@code temp} field of XSOCKET, which Click ignores; the node then adds
 * field 100 (the window in bytes) to its answer, which the prototype's library ignores. From then
 * on each side tells the other in field 101 of an XSEND or XRECV message without a body how many
 * bytes of that direction it has consumed since the socket was opened.
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

  private static final int WINDOW_FIELD = 100;
  private static final int CONSUMED_FIELD = 101;

  private final boolean on;
  private long pushed;
  private long readByProgram;
  private long taken;
  private long announced;

  private Credit(boolean on) {
    this.on = on;
  }

  static Credit offeredBy(String temp) {
    return new Credit(OFFER.equals(temp));
  }

  /** Credit for a connection accepted on a socket with this one. */
  Credit fresh() {
    return new Credit(on);
  }

  boolean isOn() {
    return on;
  }

  /** Bytes that may be pushed to the program now; meaningless when off. */
  long room() {
    return WINDOW - (pushed - readByProgram);
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
    if (on && taken - announced >= WINDOW / 4) {
      announced = taken;
      return taken;
    }
    return -1;
  }

  static XSocketMsg.Builder announce(XSocketMsg.Builder reply) {
    return withField(reply, WINDOW_FIELD, WINDOW);
  }

  static XSocketMsg.Builder consumed(long total) {
    return withField(
        XSocketMsg.newBuilder().setType(XSocketMsg.MsgType.XSEND), CONSUMED_FIELD, total);
  }

  /**
   * The count in a message about consumed bytes, or {@code null} if the message is something else.
   */
  static @Nullable Long consumedIn(XSocketMsg message) {
    UnknownFieldSet.Field field = message.getUnknownFields().getField(CONSUMED_FIELD);
    return field.getVarintList().isEmpty() ? null : field.getVarintList().get(0);
  }

  private static XSocketMsg.Builder withField(XSocketMsg.Builder message, int number, long value) {
    return message.setUnknownFields(
        UnknownFieldSet.newBuilder()
            .addField(number, UnknownFieldSet.Field.newBuilder().addVarint(value).build())
            .build());
  }
}
