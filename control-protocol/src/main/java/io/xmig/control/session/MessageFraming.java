package io.xmig.control.session;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.session.v1.ControlMessage;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Messages in a byte stream: four bytes of length, big-endian, then the protobuf.
 *
 * @threading one per direction and connection
 */
public final class MessageFraming {
  /** Largest message, which bounds what a peer can make this side allocate. */
  public static final int MAX_MESSAGE_BYTES = 64 * 1024;

  /** Bytes of a chunk in one message. */
  static final int PART_BYTES = 32 * 1024;

  /** A destination must be able to take at least this much ahead. */
  static final long LEAST_IN_FLIGHT = 1 << 20;

  private static final int PREFIX = 4;
  private static final int MAX_NESTING = 8;

  private final ByteBuffer buffer = ByteBuffer.allocate(PREFIX + MAX_MESSAGE_BYTES);

  /** Where received bytes are to be put; then {@link #next} until it gives no more. */
  public ByteBuffer buffer() {
    return buffer;
  }

  /**
   * The next complete message in the buffer, or {@code null} if more bytes are needed.
   *
   * @throws InvalidProtocolBufferException if this cannot be a message; the connection is useless
   */
  public @Nullable ControlMessage next() throws InvalidProtocolBufferException {
    if (buffer.position() < PREFIX) {
      return null;
    }
    int length = buffer.getInt(0);
    if (length < 0 || length > MAX_MESSAGE_BYTES) {
      throw new InvalidProtocolBufferException(
          "message of "
              + Integer.toUnsignedString(length)
              + " bytes, at most "
              + MAX_MESSAGE_BYTES);
    }
    if (buffer.position() < PREFIX + length) {
      return null;
    }
    CodedInputStream in = CodedInputStream.newInstance(buffer.array(), PREFIX, length);
    in.setRecursionLimit(MAX_NESTING);
    ControlMessage message;
    try {
      message = ControlMessage.parseFrom(in);
    } catch (InvalidProtocolBufferException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidProtocolBufferException(e);
    }
    buffer.flip().position(PREFIX + length);
    buffer.compact();
    return message;
  }

  /** A message with its length before it, ready to be sent. */
  public static ByteBuffer frame(ControlMessage message) {
    int length = message.getSerializedSize();
    if (length > MAX_MESSAGE_BYTES) {
      throw new IllegalArgumentException("message of " + length + " bytes");
    }
    ByteBuffer frame = ByteBuffer.allocate(PREFIX + length).putInt(length);
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(frame);
      message.writeTo(out);
      out.flush();
    } catch (IOException e) {
      throw new IllegalStateException("a buffer of the right size is too small", e);
    }
    return frame.rewind();
  }
}
