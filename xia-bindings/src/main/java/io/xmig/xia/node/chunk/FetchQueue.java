package io.xmig.xia.node.chunk;

import io.xmig.xia.socket.ChunkSocket;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of a {@link Flow}: all of them in the order in which they came to it, and those with
 * something to request, by the socket that asked for them.
 *
 * <pre>
 *   round ─▶ socket A ─▶ socket C ─▶ socket B      only those with something to request
 *              │ oldest     │ oldest    │ oldest
 *              ▼ first      ▼           ▼
 * </pre>
 *
 * <p>Sockets take turns, each for {@value #QUANTUM_BYTES} bytes and what its last request asks for
 * beyond that, which its next turn lacks. In the order of age alone a socket would get a share of
 * the path in proportion to what it has asked for; and who asks for as much as a measured rate
 * allows, would with a small share never find out that there is more.
 *
 * <p>The links are in the {@link Fetch}es; nothing is allocated for a chunk.
 *
 * @threading the node's loop
 * @source Shreedhar and Varghese, Efficient fair queuing using deficit round robin (SIGCOMM 1995)
 */
final class FetchQueue {
  /** The longest request, so that a turn is one or two of them. */
  static final int QUANTUM_BYTES = RequestPacer.MAX_QUANTUM_BYTES;

  private final Map<ChunkSocket, SocketQueue> sockets = new IdentityHashMap<>();
  private @Nullable Fetch first;
  private @Nullable Fetch last;
  private @Nullable SocketQueue firstInRound;
  private @Nullable SocketQueue lastInRound;

  boolean isEmpty() {
    return first == null;
  }

  /** The first of all; {@link Fetch#following} leads on. */
  @Nullable Fetch first() {
    return first;
  }

  /** The socket whose turn it is; {@link SocketQueue#following} leads on to the next ones. */
  @Nullable SocketQueue firstInRound() {
    return firstInRound;
  }

  void add(Fetch fetch) {
    fetch.previous = last;
    fetch.following = null;
    if (last == null) {
      first = fetch;
    } else {
      last.following = fetch;
    }
    last = fetch;
    // Who else waits for it gets it at the expense of who asked first.
    SocketQueue queue = sockets.computeIfAbsent(fetch.waiting.get(0).socket(), SocketQueue::new);
    queue.fetches++;
    fetch.queue = queue;
    refresh(fetch);
  }

  void remove(Fetch fetch) {
    SocketQueue queue = fetch.queue;
    if (queue == null) {
      return;
    }
    if (fetch.previous == null) {
      first = fetch.following;
    } else {
      fetch.previous.following = fetch.following;
    }
    if (fetch.following == null) {
      last = fetch.previous;
    } else {
      fetch.following.previous = fetch.previous;
    }
    fetch.previous = null;
    fetch.following = null;
    unready(fetch, queue);
    fetch.queue = null;
    if (--queue.fetches == 0) {
      sockets.remove(queue.socket);
    }
  }

  /** Something has become to be requested of this chunk, or no longer is. */
  void refresh(Fetch fetch) {
    SocketQueue queue = fetch.queue;
    if (fetch.done || queue == null) {
      return;
    }
    if (fetch.hasWork()) {
      ready(fetch, queue);
    } else {
      unready(fetch, queue);
    }
  }

  /** Looks at all of them again. */
  void refreshAll() {
    for (Fetch f = first; f != null; f = f.following) {
      refresh(f);
    }
  }

  /** So many bytes of this chunk have been requested. */
  void requested(Fetch fetch, int bytes) {
    SocketQueue queue = fetch.queue;
    if (queue == null) {
      return;
    }
    queue.credit -= bytes;
    if (queue.credit <= 0 && queue.firstReady() != null) {
      leaveRound(queue);
      enterRound(queue);
    }
  }

  /** So many of the requested bytes of this chunk there are not. */
  void refund(Fetch fetch, int bytes) {
    if (fetch.queue != null) {
      fetch.queue.credit += bytes;
    }
  }

  private void ready(Fetch fetch, SocketQueue queue) {
    if (!fetch.ready) {
      if (queue.firstReady() == null) {
        enterRound(queue);
      }
      queue.ready(fetch);
    }
  }

  private void unready(Fetch fetch, SocketQueue queue) {
    if (fetch.ready) {
      queue.unready(fetch);
      if (queue.firstReady() == null) {
        leaveRound(queue);
      }
    }
  }

  /** At its end; what was not requested in an earlier turn is not kept for this one. */
  private void enterRound(SocketQueue queue) {
    queue.credit = QUANTUM_BYTES + Math.min(0, queue.credit);
    queue.previous = lastInRound;
    queue.following = null;
    if (lastInRound == null) {
      firstInRound = queue;
    } else {
      lastInRound.following = queue;
    }
    lastInRound = queue;
  }

  private void leaveRound(SocketQueue queue) {
    if (queue.previous == null) {
      firstInRound = queue.following;
    } else {
      queue.previous.following = queue.following;
    }
    if (queue.following == null) {
      lastInRound = queue.previous;
    } else {
      queue.following.previous = queue.previous;
    }
    queue.previous = null;
    queue.following = null;
  }
}
