package io.xmig.adapt.guest;

import io.xmig.control.qemu.QmpClient;
import io.xmig.control.qemu.QmpEvent;
import io.xmig.xia.socket.EventLoop;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Drives a {@link GuestFollower} by QEMU's own events: RESUME and STOP reach it in well under a
 * millisecond. Takes a QMP socket of its own, since each serves one client; a host service that has
 * one already calls {@link #onEvent} instead.
 */
public final class QmpFollower implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(10);

  private final EventLoop loop;
  private final GuestFollower follower;
  private final QmpClient client;

  /**
   * Connects, and begins at once if the guest runs.
   *
   * @param socket QMP socket of the guest's QEMU
   * @throws io.xmig.control.qemu.QemuException if no QEMU answers there
   */
  public QmpFollower(Path socket, EventLoop loop, GuestFollower follower) {
    this.loop = loop;
    this.follower = follower;
    this.client = QmpClient.connect(socket, CONNECT, event -> onEvent(event, loop, follower));
    if (client.call("query-status", null, CONNECT).path("running").asBoolean(false)) {
      loop.execute(follower::running);
    }
  }

  /** Passes one event on; from any thread. */
  public static void onEvent(QmpEvent event, EventLoop loop, GuestFollower follower) {
    switch (event.name()) {
      case "RESUME" -> loop.execute(follower::running);
      case "STOP", "SHUTDOWN" -> loop.execute(follower::stopped);
      default -> {
        // of no meaning for where the guest is
      }
    }
  }

  /** Completes when QEMU has gone. */
  public java.util.concurrent.CompletableFuture<?> gone() {
    return client.closed();
  }

  @Override
  public void close() {
    client.close();
    loop.execute(follower::close);
  }
}
