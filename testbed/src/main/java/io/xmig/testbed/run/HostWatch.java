package io.xmig.testbed.run;

import io.grpc.StatusRuntimeException;
import io.xmig.control.host.HostClient;
import io.xmig.control.host.v1.HostEvent;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that one host service reports, collected by a thread of its own.
 *
 * @threading any
 */
final class HostWatch {
  private static final Logger LOG = LoggerFactory.getLogger(HostWatch.class);

  private final String host;
  private final List<HostEvent> events = new ArrayList<>();

  HostWatch(String host, HostClient client) {
    this.host = host;
    Thread thread = new Thread(() -> collect(client), "watch-" + host);
    thread.setDaemon(true);
    thread.start();
  }

  private void collect(HostClient client) {
    try {
      Iterator<HostEvent> stream = client.watch("");
      while (stream.hasNext()) {
        HostEvent event = stream.next();
        synchronized (events) {
          events.add(event);
          events.notifyAll();
        }
      }
    } catch (StatusRuntimeException e) {
      LOG.info("{}: no more events: {}", host, e.getStatus());
    }
  }

  /** The events of a migration so far. */
  List<HostEvent> of(String migration) {
    synchronized (events) {
      return events.stream().filter(e -> e.getMigration().equals(migration)).toList();
    }
  }
}
