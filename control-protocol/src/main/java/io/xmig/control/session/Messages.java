package io.xmig.control.session;

import com.google.protobuf.ByteString;
import io.xmig.chunk.ChunkInfo;
import io.xmig.chunk.ChunkInfo.Coding;
import io.xmig.control.session.v1.Ack;
import io.xmig.control.session.v1.Announce;
import io.xmig.control.session.v1.ChunkData;
import io.xmig.control.session.v1.ControlMessage;
import io.xmig.control.session.v1.Done;
import io.xmig.control.session.v1.Error;
import io.xmig.control.session.v1.Ping;
import io.xmig.control.session.v1.Pong;
import io.xmig.control.session.v1.Reason;
import io.xmig.control.session.v1.Republish;
import io.xmig.control.session.v1.Verified;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;

/** Builds the messages of the session and reads what needs checking. */
final class Messages {
  /** Versions of the protocol that this code speaks. */
  static final int VERSION_MIN = 1;

  static final int VERSION_MAX = 1;

  static final int SESSION_ID_BYTES = 16;
  static final int DIGEST_BYTES = 32;
  static final int MAX_REASON_CHARS = 500;

  private Messages() {}

  static Announce.Chunk chunk(ChunkInfo info) {
    Announce.Chunk.Builder chunk =
        Announce.Chunk.newBuilder()
            .setCid(ByteString.copyFrom(info.cid().id()))
            .setRawLength(info.rawLength());
    if (info.coding() == Coding.ZSTD) {
      chunk.setCoding(Announce.Coding.CODING_ZSTD).setLength(info.length());
    }
    return chunk.build();
  }

  /** The chunk announced, or {@code null} when the entry makes no sense. */
  static @org.jspecify.annotations.Nullable ChunkInfo info(
      Announce.Chunk chunk, long sequence, long offset, int maxChunkBytes, boolean zstdAgreed) {
    int raw = chunk.getRawLength();
    int length = chunk.getLength() == 0 ? raw : chunk.getLength();
    Coding coding =
        switch (chunk.getCoding()) {
          case CODING_PLAIN -> Coding.PLAIN;
          case CODING_ZSTD -> zstdAgreed ? Coding.ZSTD : null;
          case UNRECOGNIZED -> null;
        };
    boolean sane =
        coding != null
            && chunk.getCid().size() == Xid.ID_LENGTH
            && raw > 0
            && raw <= maxChunkBytes
            && length > 0
            && length <= raw
            && (coding != Coding.PLAIN || length == raw);
    if (!sane) {
      return null;
    }
    Xid cid = Xid.of(XidType.CID, chunk.getCid().toByteArray());
    return new ChunkInfo(sequence, offset, raw, length, cid, coding);
  }

  static ControlMessage ack(long acknowledged, long written) {
    return ControlMessage.newBuilder()
        .setAck(Ack.newBuilder().setAcknowledgedBytes(acknowledged).setWrittenBytes(written))
        .build();
  }

  static ControlMessage done(long length, byte[] sha256) {
    return ControlMessage.newBuilder()
        .setDone(Done.newBuilder().setLengthBytes(length).setSha256(ByteString.copyFrom(sha256)))
        .build();
  }

  static ControlMessage verified(long length) {
    return ControlMessage.newBuilder()
        .setVerified(Verified.newBuilder().setLengthBytes(length))
        .build();
  }

  static ControlMessage ping(long token) {
    return ControlMessage.newBuilder().setPing(Ping.newBuilder().setToken(token)).build();
  }

  static ControlMessage pong(long token) {
    return ControlMessage.newBuilder().setPong(Pong.newBuilder().setToken(token)).build();
  }

  static ControlMessage republish(long sequence) {
    return ControlMessage.newBuilder()
        .setRepublish(Republish.newBuilder().setSequence(sequence))
        .build();
  }

  static ControlMessage chunkData(long sequence, int offset, ByteBuffer data) {
    return ControlMessage.newBuilder()
        .setChunkData(
            ChunkData.newBuilder()
                .setSequence(sequence)
                .setOffset(offset)
                .setData(ByteString.copyFrom(data)))
        .build();
  }

  static ControlMessage error(Reason reason, String message) {
    return ControlMessage.newBuilder()
        .setError(Error.newBuilder().setReason(reason).setMessage(brief(message)))
        .build();
  }

  static ControlMessage abort(Reason reason, String message) {
    return ControlMessage.newBuilder()
        .setAbort(
            io.xmig.control.session.v1.Abort.newBuilder()
                .setReason(reason)
                .setMessage(brief(message)))
        .build();
  }

  /** Text from the peer as one printable line of bounded length. */
  static String brief(String text) {
    String cut = text.length() > MAX_REASON_CHARS ? text.substring(0, MAX_REASON_CHARS) : text;
    StringBuilder line = new StringBuilder(cut.length());
    for (int i = 0; i < cut.length(); i++) {
      char c = cut.charAt(i);
      line.append(Character.isISOControl(c) ? ' ' : c);
    }
    return line.toString();
  }

  /** A word for a reason in messages to people. */
  static String describe(Reason reason) {
    return switch (reason) {
      case REASON_VERSION -> "no protocol version in common";
      case REASON_BUSY -> "busy with another session";
      case REASON_UNKNOWN_SESSION -> "session not known";
      case REASON_PROTOCOL -> "protocol error";
      case REASON_LIMIT -> "limit exceeded";
      case REASON_CHUNK -> "chunk not obtainable";
      case REASON_CORRUPT -> "stream corrupt";
      case REASON_OUTPUT -> "output closed";
      case REASON_INPUT -> "input broken";
      case REASON_INCOMPLETE -> "stream incomplete";
      case REASON_STOPPED -> "stopped";
      case REASON_LOST -> "connection lost";
      case REASON_INTERNAL -> "internal failure";
      case REASON_UNSPECIFIED, UNRECOGNIZED -> "unknown reason";
    };
  }
}
