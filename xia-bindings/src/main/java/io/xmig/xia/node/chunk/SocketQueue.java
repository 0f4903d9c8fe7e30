package io.xmig.xia.node.chunk;

import io.xmig.xia.socket.ChunkSocket;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of a {@link FetchQueue} that one socket has asked for, as far as there is something to
 * request of them, oldest first; and what the socket may request until it is the next one's turn.
 *
 * @threading the node's loop
 */
final class SocketQueue {
  final ChunkSocket socket;

  /** Chunks of this socket, those with nothing to request included. */
  int fetches;

  /** Bytes that may be requested in this turn; below 0 what was requested beyond that. */
  long credit;

  // the round of those with something to request
  @Nullable SocketQueue previous;
  @Nullable SocketQueue following;

  private @Nullable Fetch firstReady;
  private @Nullable Fetch lastReady;

  SocketQueue(ChunkSocket socket) {
    this.socket = socket;
  }

  /** The oldest with something to request; {@link Fetch#followingReady} leads on. */
  @Nullable Fetch firstReady() {
    return firstReady;
  }

  void ready(Fetch fetch) {
    fetch.ready = true;
    Fetch before = lastReady;
    if (before != null && before.order > fetch.order) {
      // What becomes ready again has lost something and is old: look from the front.
      before = null;
      for (Fetch f = firstReady; f != null && f.order < fetch.order; f = f.followingReady) {
        before = f;
      }
    }
    fetch.previousReady = before;
    fetch.followingReady = before == null ? firstReady : before.followingReady;
    if (before == null) {
      firstReady = fetch;
    } else {
      before.followingReady = fetch;
    }
    if (fetch.followingReady == null) {
      lastReady = fetch;
    } else {
      fetch.followingReady.previousReady = fetch;
    }
  }

  void unready(Fetch fetch) {
    fetch.ready = false;
    if (fetch.previousReady == null) {
      firstReady = fetch.followingReady;
    } else {
      fetch.previousReady.followingReady = fetch.followingReady;
    }
    if (fetch.followingReady == null) {
      lastReady = fetch.previousReady;
    } else {
      fetch.followingReady.previousReady = fetch.previousReady;
    }
    fetch.previousReady = null;
    fetch.followingReady = null;
  }
}
