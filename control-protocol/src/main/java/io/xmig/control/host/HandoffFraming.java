package io.xmig.control.host;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.host.v1.HandoffMessage;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Hand-off messages in a byte stream: four bytes of length, big-endian, then the protobuf.
 *
 * @threading one per direction and connection
 */
public final class HandoffFraming {
  /** Bounds what a peer can make this side allocate; a kernel command line is the largest part. */
  public static final int MAX_MESSAGE_BYTES = 16 * 1024;

  private static final int PREFIX = 4;
  private static final int MAX_NESTING = 8;

  private final ByteBuffer buffer = ByteBuffer.allocate(PREFIX + MAX_MESSAGE_BYTES);

  /** Where received bytes are to be put; then {@link #next} until it gives no more. */
  public ByteBuffer buffer() {
    return buffer;
  }

  /**
   * The next complete message, or {@code null} if more bytes are needed.
   *
   * @throws InvalidProtocolBufferException if this cannot be a message; the connection is useless
   */
  public @Nullable HandoffMessage next() throws InvalidProtocolBufferException {
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
    HandoffMessage message;
    try {
      message = HandoffMessage.parseFrom(in);
    } catch (InvalidProtocolBufferException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidProtocolBufferException(e);
    }
    buffer.flip().position(PREFIX + length);
    buffer.compact();
    return message;
  }

  /** A message with its length before it. */
  public static ByteBuffer frame(HandoffMessage message) {
    byte[] bytes = message.toByteArray();
    if (bytes.length > MAX_MESSAGE_BYTES) {
      throw new IllegalArgumentException("hand-off message of " + bytes.length + " bytes");
    }
    return ByteBuffer.allocate(PREFIX + bytes.length).putInt(bytes.length).put(bytes).flip();
  }
}
