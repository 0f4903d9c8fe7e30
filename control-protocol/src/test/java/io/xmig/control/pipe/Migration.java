package io.xmig.control.pipe;

import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.store.ChunkStore;
import io.xmig.chunk.testkit.FakeInput;
import io.xmig.chunk.testkit.FakeNetwork;
import io.xmig.chunk.testkit.FakeOutput;
import io.xmig.chunk.testkit.FakeStack;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.SessionTimes;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Sender and receiver on a made-up network, started and watched. */
final class Migration {
  static final Xid SERVICE = Xid.of(XidType.SID, new byte[20]);
  static final long SECOND = 1_000_000_000L;

  final FakeNetwork net;
  final FakeStack source;
  final FakeStack destination;
  final FakeInput input;
  final FakeOutput output;
  final SendPipe send;
  final ReceivePipe receive;
  final List<String> events = new ArrayList<>();
  @Nullable Outcome sent;
  @Nullable Outcome received;

  /** What varies. */
  static final class Setting {
    int burst = 64 * 1024;
    long pauseNs;
    double outputRate = 1e9;
    long inFlight;
    int chunkBytes;
    int maxChunkBytes = 1 << 20;
    Compression compression = Compression.OFF;
    boolean raw;
    Duration resume = Duration.ofSeconds(60);
    long settleNs = SECOND;
  }

  Migration(FakeNetwork net, byte[] stream, Setting setting) {
    this.net = net;
    source = net.host(setting.maxChunkBytes);
    destination = net.host(setting.maxChunkBytes);
    input = new FakeInput(net.loop(), net.random(), stream, setting.burst, setting.pauseNs);
    output = new FakeOutput(net.loop(), setting.outputRate);
    SessionTimes times = SessionTimes.of(Duration.ofSeconds(10), setting.resume);
    SendOptions sendOptions =
        new SendOptions(
            times,
            setting.inFlight,
            SendOptions.DEFAULT_MAX_IN_FLIGHT,
            200_000_000L,
            50_000_000L,
            setting.chunkBytes,
            setting.compression,
            setting.raw,
            setting.settleNs,
            "test");
    byte[] id = new byte[16];
    id[3] = 7;
    send =
        new SendPipe(
            source,
            () -> CompletableFuture.completedFuture(destination.localAddress().service(SERVICE)),
            input,
            lane(),
            lane(),
            net.loop()::nanoTime,
            sendOptions,
            id,
            (name, facts) -> events.add("source " + name + " " + facts));
    receive =
        new ReceivePipe(
            destination,
            SERVICE,
            output,
            lane(),
            lane(),
            ChunkStore.NONE,
            new ReceiveOptions(
                times,
                SendOptions.DEFAULT_MAX_IN_FLIGHT,
                setting.raw,
                true,
                300 * SECOND,
                setting.settleNs,
                "test"),
            (name, facts) -> events.add("destination " + name + " " + facts));
  }

  private Lane lane() {
    return new Lane(net.loop(), net.loop());
  }

  Migration start() {
    startReceiver();
    startSender();
    return this;
  }

  void startReceiver() {
    receive.start().thenAccept(outcome -> received = outcome);
  }

  void startSender() {
    send.start().thenAccept(outcome -> sent = outcome);
  }

  /** Whether every side that lives has come to an end. */
  boolean isOver() {
    return (sent != null || source.isDead()) && (received != null || destination.isDead());
  }

  /** Runs until it is over. */
  boolean run() {
    return net.loop().runUntil(this::isOver, Duration.ofHours(3));
  }
}
