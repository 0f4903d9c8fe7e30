package io.xmig.control.cli;

import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.cut.ByteInput;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.pipe.BlockingInput;
import io.xmig.control.pipe.Progress;
import io.xmig.control.pipe.SendOptions;
import io.xmig.control.pipe.SendPipe;
import io.xmig.control.pipe.StatusLines;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.SessionTimes;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.cli.ByteSize;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.cli.TimeSpan;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaStack;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xmig send}: standard input to a receiver. */
@Command(
    name = "send",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Send standard input, as a rule QEMU's migration stream, to an 'xmig receive'.",
      "",
      "Standard output is left alone. One line on standard error says why if it fails."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the receiver has verified and written everything",
      "1:it failed or was cancelled, the message says why",
      "2:wrong usage",
      "143:stopped by SIGTERM, the receiver was told"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  (qemu) migrate \"exec:xmig send --to HOST_B.xia\"",
      "  QMP, so that QEMU does not wait for the last bytes:",
      "  migrate \"exec:exec 3<&0; xmig send --to vm7 <&3 3<&- & exit 0\"",
      "  xmig send --raw --to 'RE AD:… HID:… SID:…' < disk.img"
    })
public final class SendCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private StackOption xia = new StackOption();

  @Mixin private SharedOptions shared = new SharedOptions();

  @Option(
      names = "--to",
      required = true,
      paramLabel = "NAME_OR_DAG",
      description =
          "The receiver: a registered name or a DAG. If it is that of a host, its service"
              + " 'migration'.")
  private String to = "";

  @Option(
      names = "--in-flight",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      defaultValue = "0",
      description =
          "Most bytes taken from QEMU and not yet written to the other one; every such byte is"
              + " downtime. Default: from the measured rate and the next two options.")
  private long inFlight;

  @Option(
      names = "--outage-target",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "150ms",
      description = "Outage to stay within. Default: ${DEFAULT-VALUE}.")
  private Duration outageTarget = Duration.ofMillis(150);

  @Option(
      names = "--downtime-limit",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "50ms",
      description =
          "What QEMU's downtime-limit is set to; 0 for what follows from the outage target and the"
              + " measured rate, as the status lines say. Default: ${DEFAULT-VALUE}.")
  private Duration downtimeLimit = Duration.ofMillis(50);

  @Option(
      names = "--connect-timeout",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "10s",
      description = "How long to try to reach the receiver at first. Default: ${DEFAULT-VALUE}.")
  private Duration connectTimeout = Duration.ofSeconds(10);

  @Option(
      names = "--chunk-size",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      defaultValue = "0",
      description = "Size of chunks. Default: adapts to path and stack, 64K to 512K.")
  private long chunkSize;

  @Option(
      names = "--compress",
      paramLabel = "off|on|auto",
      defaultValue = "off",
      description = "Compress chunks with zstd. Default: ${DEFAULT-VALUE}.")
  private Compression compress = Compression.OFF;

  @Override
  public Integer call() throws IOException {
    checkUsage();
    switch (StandardStreams.of(0)) {
      case CLOSED ->
          throw new IllegalStateException("standard input is closed; QEMU's exec: opens it");
      case TERMINAL ->
          throw new IllegalStateException(
              "standard input is a terminal; use it in QEMU's exec: or redirect a file");
      case PIPE, FILE -> {}
    }
    if (shared.detach) {
      Detach.respawn();
      return 0;
    }
    StatusLines status = shared.openStatus();
    XiaStack stack = xia.open();
    return new PipeRun("send", status, spec.commandLine().getErr())
        .runAsProcess(
            stack,
            () ->
                pipe(
                    stack,
                    BlockingInput.of(new FileInputStream(FileDescriptor.in), stack.loop()),
                    status),
            ProcessEnd.atOnce());
  }

  CommandLine commandLine() {
    return spec.commandLine();
  }

  SharedOptions shared() {
    return shared;
  }

  XiaStack openStack(StackSource stacks) {
    return stacks.open(xia);
  }

  /**
   * Refuses values that make no sense.
   *
   * @throws ParameterException with the option
   */
  void checkUsage() {
    if (chunkSize != 0 && (chunkSize < 1024 || chunkSize > 16 << 20)) {
      throw new ParameterException(spec.commandLine(), "--chunk-size must be 1K to 16M");
    }
    try {
      Destination.check(to);
    } catch (DagParseException e) {
      throw new ParameterException(
          spec.commandLine(), "--to is neither a name nor a DAG: " + e.getMessage(), e);
    }
  }

  /** The transfer that the options describe; on the stack's loop. */
  PipeRun.Pipe pipe(XiaStack stack, ByteInput input, StatusLines status) {
    EventLoop loop = stack.loop();
    byte[] sessionId = new byte[16];
    new SecureRandom().nextBytes(sessionId);
    SendOptions options =
        new SendOptions(
            SessionTimes.of(connectTimeout, shared.resumeTimeout),
            inFlight,
            SendOptions.DEFAULT_MAX_IN_FLIGHT,
            outageTarget.toNanos(),
            downtimeLimit.toNanos(),
            (int) chunkSize,
            compress,
            shared.raw,
            shared.settleNs(),
            "xmig send");
    // each wake-up of a thread costs as much as hashing some KiB; compressing needs one of its own
    boolean plain = compress == Compression.OFF;
    Lane hashes = new Lane(PipeRun.lane("hash"), loop);
    SendPipe pipe =
        new SendPipe(
            stack,
            Destination.resolver(stack, to),
            input,
            hashes,
            plain ? hashes : new Lane(PipeRun.lane("digest"), loop),
            plain ? System::nanoTime : LaneClock.ofThisMachine(),
            options,
            sessionId,
            status);
    return new PipeRun.Pipe() {
      @Override
      public CompletableFuture<Outcome> start() {
        return pipe.start();
      }

      @Override
      public void abort(String reason) {
        pipe.abort(reason);
      }

      @Override
      public Progress progress() {
        return pipe.progress();
      }
    };
  }
}
