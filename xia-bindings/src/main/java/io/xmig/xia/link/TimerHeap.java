package io.xmig.xia.link;

import io.xmig.xia.socket.EventLoop;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Tasks by due time; those due at the same time in the order they were scheduled. */
final class TimerHeap {
  /** A task in the heap. */
  static final class Entry implements EventLoop.Timer {
    private final TimerHeap heap;
    private final long dueNs;
    private final long order;
    private @Nullable Runnable task;
    private int index;

    Entry(TimerHeap heap, long dueNs, long order, Runnable task) {
      this.heap = heap;
      this.dueNs = dueNs;
      this.order = order;
      this.task = task;
    }

    @Override
    public void cancel() {
      if (task != null) {
        task = null;
        heap.remove(this);
      }
    }

    private boolean before(Entry other) {
      long difference = dueNs - other.dueNs;
      return difference != 0 ? difference < 0 : order < other.order;
    }
  }

  private @Nullable Entry[] entries = new Entry[64];
  private int size;
  private long scheduled;

  Entry add(long dueNs, Runnable task) {
    Entry entry = new Entry(this, dueNs, scheduled++, task);
    if (size == entries.length) {
      entries = Arrays.copyOf(entries, size * 2);
    }
    up(size++, entry);
    return entry;
  }

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  /** When the first task is due; the heap must not be empty. */
  long firstDueNs() {
    return at(0).dueNs;
  }

  /** Takes the first task if it is due. */
  @Nullable Runnable pollDue(long nowNs) {
    if (size == 0 || at(0).dueNs - nowNs > 0) {
      return null;
    }
    Entry first = at(0);
    Runnable task = first.task;
    first.task = null;
    remove(first);
    return task;
  }

  private Entry at(int index) {
    Entry entry = entries[index];
    if (entry == null) {
      throw new AssertionError("hole in the timer heap at " + index);
    }
    return entry;
  }

  private void remove(Entry entry) {
    int hole = entry.index;
    Entry last = at(--size);
    entries[size] = null;
    if (last == entry) {
      return;
    }
    if (hole > 0 && last.before(at((hole - 1) / 2))) {
      up(hole, last);
    } else {
      down(hole, last);
    }
  }

  private void up(int start, Entry entry) {
    int index = start;
    while (index > 0) {
      int parent = (index - 1) / 2;
      if (!entry.before(at(parent))) {
        break;
      }
      place(index, at(parent));
      index = parent;
    }
    place(index, entry);
  }

  private void down(int start, Entry entry) {
    int index = start;
    while (2 * index + 1 < size) {
      int child = 2 * index + 1;
      if (child + 1 < size && at(child + 1).before(at(child))) {
        child++;
      }
      if (!at(child).before(entry)) {
        break;
      }
      place(index, at(child));
      index = child;
    }
    place(index, entry);
  }

  private void place(int index, Entry entry) {
    entries[index] = entry;
    entry.index = index;
  }
}
