package io.xmig.adapt.guest;

import io.xmig.control.qemu.QmpClient;
import io.xmig.control.qemu.QmpEvent;
import io.xmig.xia.socket.EventLoop;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Drives a {@link GuestFollower} by QEMU's own events: RESUME and STOP reach it in well under a
 * millisecond. Takes a QMP socket of its own, since each serves one client.
 */
public final class QmpFollower implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(10);

  private final EventLoop loop;
  private final GuestFollower follower;
  private final QmpClient client;
  private volatile boolean incoming;

  /**
   * Connects, and begins at once if the guest runs or is about to come.
   *
   * @param socket QMP socket of the guest's QEMU
   * @throws io.xmig.control.qemu.QemuException if no QEMU answers there
   */
  public QmpFollower(Path socket, EventLoop loop, GuestFollower follower) {
    this.loop = loop;
    this.follower = follower;
    this.client = QmpClient.connect(socket, CONNECT, this::onEvent);
    switch (client.call("query-status", null, CONNECT).path("status").asText()) {
      case "running" -> loop.execute(follower::running);
      case "inmigrate" -> {
        incoming = true;
        loop.execute(follower::expected);
      }
      default -> {
        // it is paused, and may be told to go on
      }
    }
  }

  private void onEvent(QmpEvent event) {
    switch (event.name()) {
      case "RESUME" -> {
        incoming = false;
        loop.execute(follower::running);
      }
      case "STOP", "SHUTDOWN" -> loop.execute(follower::stopped);
      case "MIGRATION" -> {
        // the source has stopped it for good, or will say itself that it has not
        if (incoming && event.text("status").equals("completed")) {
          loop.execute(follower::loaded);
        }
      }
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
