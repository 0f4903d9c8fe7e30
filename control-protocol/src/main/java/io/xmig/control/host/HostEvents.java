package io.xmig.control.host;

import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.qemu.EpochMicros;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * What happens on a host, for those who watch. The events of recent migrations are kept, so that a
 * watcher who comes a moment late, or after a broken connection, misses nothing.
 *
 * @threading any
 */
final class HostEvents {
  private static final int MIGRATIONS_KEPT = 32;
  private static final int EVENTS_KEPT = 1000;

  private final Map<String, Deque<HostEvent>> histories =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Deque<HostEvent>> eldest) {
          return size() > MIGRATIONS_KEPT;
        }
      };
  private final Map<String, CopyOnWriteArrayList<Consumer<HostEvent>>> watchers = new HashMap<>();

  /** Begins an event of now. */
  static HostEvent.Builder event(String name, String vm, String migration) {
    return at(Instant.now(), name, vm, migration);
  }

  static HostEvent.Builder at(Instant time, String name, String vm, String migration) {
    return HostEvent.newBuilder()
        .setTimeMicros(EpochMicros.of(time))
        .setName(name)
        .setVm(vm)
        .setMigration(migration);
  }

  synchronized void publish(HostEvent event) {
    String migration = event.getMigration();
    if (!migration.isEmpty()) {
      Deque<HostEvent> history = histories.computeIfAbsent(migration, id -> new ArrayDeque<>());
      history.add(event);
      if (history.size() > EVENTS_KEPT) {
        history.remove();
      }
      tell(migration, event);
    }
    tell("", event);
  }

  private void tell(String key, HostEvent event) {
    CopyOnWriteArrayList<Consumer<HostEvent>> list = watchers.get(key);
    if (list != null) {
      list.forEach(watcher -> watcher.accept(event));
    }
  }

  /** Whether a migration is remembered. */
  synchronized boolean knows(String migration) {
    return histories.containsKey(migration);
  }

  /**
   * Gives {@code watcher} the past of a migration, then what comes; the result ends it.
   *
   * @param migration or "" for all from now on
   * @param watcher must not block
   */
  synchronized Runnable watch(String migration, Consumer<HostEvent> watcher) {
    Deque<HostEvent> history = histories.get(migration);
    if (history != null) {
      history.forEach(watcher);
    }
    watchers.computeIfAbsent(migration, key -> new CopyOnWriteArrayList<>()).add(watcher);
    return () -> unwatch(migration, watcher);
  }

  private synchronized void unwatch(String migration, Consumer<HostEvent> watcher) {
    CopyOnWriteArrayList<Consumer<HostEvent>> list = watchers.get(migration);
    if (list != null) {
      list.remove(watcher);
      if (list.isEmpty()) {
        watchers.remove(migration);
      }
    }
  }
}
