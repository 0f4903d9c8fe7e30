package io.xmig.control.session;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Messages in a byte stream: four bytes of length, big-endian, then the protobuf.
 *
 * @param <M> what the messages are
 * @threading one per direction and connection
 */
public final class MessageFraming<M extends MessageLite> {
  private static final int PREFIX = 4;
  private static final int MAX_NESTING = 8;

  private final Parser<M> parser;
  private final ByteBuffer buffer;

  /**
   * @param maxMessageBytes largest message, which bounds what a peer can make this side allocate
   */
  public MessageFraming(Parser<M> parser, int maxMessageBytes) {
    this.parser = parser;
    this.buffer = ByteBuffer.allocate(PREFIX + maxMessageBytes);
  }

  /** Where received bytes are to be put; then {@link #next} until it gives no more. */
  public ByteBuffer buffer() {
    return buffer;
  }

  /**
   * The next complete message in the buffer, or {@code null} if more bytes are needed.
   *
   * @throws InvalidProtocolBufferException if this cannot be a message; the connection is useless
   */
  public @Nullable M next() throws InvalidProtocolBufferException {
    if (buffer.position() < PREFIX) {
      return null;
    }
    int length = buffer.getInt(0);
    int most = buffer.capacity() - PREFIX;
    if (length < 0 || length > most) {
      throw new InvalidProtocolBufferException(
          "message of " + Integer.toUnsignedString(length) + " bytes, at most " + most);
    }
    if (buffer.position() < PREFIX + length) {
      return null;
    }
    CodedInputStream in = CodedInputStream.newInstance(buffer.array(), PREFIX, length);
    in.setRecursionLimit(MAX_NESTING);
    M message = parser.parseFrom(in);
    buffer.flip().position(PREFIX + length);
    buffer.compact();
    return message;
  }

  /**
   * A message with its length before it, ready to be sent.
   *
   * @throws IllegalArgumentException if it is larger than {@code maxMessageBytes}
   */
  public static ByteBuffer frame(MessageLite message, int maxMessageBytes) {
    int length = message.getSerializedSize();
    if (length > maxMessageBytes) {
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
