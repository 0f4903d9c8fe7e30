package io.xmig.control.session;

import io.xmig.chunk.ChunkInfo;
import io.xmig.control.session.v1.Announce;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The chunks that the source has published and the destination has not acknowledged, and how far
 * they were announced on the present connection.
 *
 * @threading one thread
 */
final class Announcements {
  private static final int CHUNKS_PER_ANNOUNCE = 256;

  private final ArrayDeque<ChunkInfo> unacknowledged = new ArrayDeque<>();
  private long endBytes;
  private long nextSequence;
  private long announcedSequence; // chunks from here on were not announced on this connection

  /** Bytes of the stream that are in chunks. */
  long endBytes() {
    return endBytes;
  }

  /** Sequence number of the chunk that is published next. */
  long nextSequence() {
    return nextSequence;
  }

  /** The first chunk that the destination does not have for good. */
  long firstUnacknowledged() {
    return unacknowledged.isEmpty() ? nextSequence : unacknowledged.getFirst().sequence();
  }

  /** A chunk can be requested now. */
  void published(ChunkInfo chunk) {
    if (chunk.sequence() != nextSequence) {
      throw new IllegalArgumentException(
          "chunk " + chunk.sequence() + " published after " + (nextSequence - 1));
    }
    unacknowledged.add(chunk);
    nextSequence++;
    endBytes = chunk.end();
  }

  /** On a new connection the destination knows the chunks before this one. */
  void resumeAt(long sequence) {
    announcedSequence = sequence;
  }

  /** Gives messages with all chunks that were not announced yet. */
  void announceNew(Consumer<Announce> to) {
    Announce.Builder announce = null;
    for (Iterator<ChunkInfo> i = fromAnnounced(); i.hasNext(); ) {
      ChunkInfo chunk = i.next();
      if (announce == null) {
        announce =
            Announce.newBuilder().setFirstSequence(chunk.sequence()).setFirstOffset(chunk.offset());
      }
      announce.addChunks(Messages.chunk(chunk));
      announcedSequence = chunk.sequence() + 1;
      if (announce.getChunksCount() == CHUNKS_PER_ANNOUNCE) {
        to.accept(announce.build());
        announce = null;
      }
    }
    if (announce != null) {
      to.accept(announce.build());
    }
  }

  /** From the first chunk that was not announced; usually the last one, so found from the end. */
  private Iterator<ChunkInfo> fromAnnounced() {
    if (nextSequence - announcedSequence == 1) {
      return List.of(unacknowledged.getLast()).iterator();
    }
    return unacknowledged.stream().filter(c -> c.sequence() >= announcedSequence).iterator();
  }

  /** The destination has this many bytes for good. */
  void acknowledged(long bytes) {
    while (!unacknowledged.isEmpty() && unacknowledged.getFirst().end() <= bytes) {
      ChunkInfo chunk = unacknowledged.removeFirst();
      announcedSequence = Math.max(announcedSequence, chunk.sequence() + 1);
    }
  }

  /** A chunk that may still be asked for, or {@code null}. */
  @Nullable ChunkInfo find(long sequence) {
    for (ChunkInfo chunk : unacknowledged) {
      if (chunk.sequence() == sequence) {
        return chunk;
      }
    }
    return null;
  }
}
