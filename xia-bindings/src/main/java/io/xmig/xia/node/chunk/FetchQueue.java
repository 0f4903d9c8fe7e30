package io.xmig.xia.node.chunk;

import org.jspecify.annotations.Nullable;

/**
 * The chunks of a {@link Flow}: all of them in the order in which they came to it, and those with
 * something to request, oldest first. The links are in the {@link Fetch}es; nothing is allocated.
 *
 * @threading the node's loop
 */
final class FetchQueue {
  private @Nullable Fetch first;
  private @Nullable Fetch last;
  private @Nullable Fetch firstReady;
  private @Nullable Fetch lastReady;

  boolean isEmpty() {
    return first == null;
  }

  /** The first of all; {@link Fetch#following} leads on. */
  @Nullable Fetch first() {
    return first;
  }

  /** The oldest with something to request; {@link Fetch#followingReady} leads on. */
  @Nullable Fetch firstReady() {
    return firstReady;
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
    refresh(fetch);
  }

  void remove(Fetch fetch) {
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
    unready(fetch);
  }

  /** Something has become to be requested of this chunk, or no longer is. */
  void refresh(Fetch fetch) {
    if (fetch.done) {
      return;
    }
    if (fetch.hasWork()) {
      ready(fetch);
    } else {
      unready(fetch);
    }
  }

  /** Looks at all of them again. */
  void refreshAll() {
    for (Fetch f = first; f != null; f = f.following) {
      refresh(f);
    }
  }

  private void ready(Fetch fetch) {
    if (fetch.ready) {
      return;
    }
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

  private void unready(Fetch fetch) {
    if (!fetch.ready) {
      return;
    }
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
