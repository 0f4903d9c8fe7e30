package io.xmig.testbed.evaluate;

import io.xmig.control.qemu.EpochMicros;
import io.xmig.control.qemu.MigrationProgress;
import io.xmig.testbed.workload.ProbeLog;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Probes of the guest every ten milliseconds while it may stand still. A hundred of them a second,
 * by XIA or IP, cost a translated guest and the nodes a tenth of two processors, which the
 * migration itself lacks; so it is probed seldom until QEMU has little left to send.
 *
 * @threading one thread
 */
final class FineProbes implements AutoCloseable {
  private static final Duration INTERVAL = Duration.ofMillis(10);

  /** What is sent in this time is little. */
  private static final double NEAR_SECONDS = 1.5;

  /** So are so many bytes, since pages of zeros are sent in no time. */
  private static final long NEAR_BYTES = 64 << 20;

  /** So that there is an answer or two in the fine rhythm before the guest stops. */
  private static final long WARM_UP_US = 50_000;

  private final Stage stage;
  private final boolean xia;
  private @Nullable IpPing ping;
  private long sinceUs;

  FineProbes(Stage stage, Mode mode) {
    this.stage = stage;
    this.xia = mode.isXia();
  }

  boolean running() {
    return sinceUs != 0;
  }

  /** Begins if the guest may stop soon. */
  void follow(MigrationProgress now) {
    if (now.status() == MigrationProgress.Status.ACTIVE
        && now.transferredBytes() > 0
        && now.remainingBytes() < NEAR_SECONDS * now.bytesPerSecond() + NEAR_BYTES) {
      begin();
    }
  }

  void begin() {
    if (running()) {
      return;
    }
    sinceUs = EpochMicros.now();
    if (xia) {
      stage.xping().interval(INTERVAL);
    } else {
      ping = stage.fineIpPing(INTERVAL);
    }
  }

  /**
   * From when on answers say when the guest stopped.
   *
   * @param fromUs for one that stopped before the fine rhythm had begun: what is seen of it is up
   *     to one coarse interval too long
   */
  long fromUs(long fromUs, long stopUs) {
    return sinceUs + WARM_UP_US < stopUs ? Math.max(fromUs, sinceUs) : fromUs;
  }

  /** What has been seen. */
  ProbeLog log() {
    if (xia) {
      return stage.xping().log();
    }
    long now = EpochMicros.now();
    ProbeLog coarse = stage.ping().log(now);
    return ping == null ? coarse : ProbeLog.merged(List.of(coarse, ping.log(now)));
  }

  @Override
  public void close() {
    if (ping != null) {
      ping.close();
    } else if (running()) {
      stage.xping().interval(Stage.PROBE_INTERVAL);
    }
  }
}
