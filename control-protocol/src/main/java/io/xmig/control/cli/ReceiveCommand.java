package io.xmig.control.cli;

import io.xmig.chunk.order.ByteOutput;
import io.xmig.chunk.store.ChunkStore;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.pipe.BlockingOutput;
import io.xmig.control.pipe.FailureMark;
import io.xmig.control.pipe.Progress;
import io.xmig.control.pipe.ReceiveOptions;
import io.xmig.control.pipe.ReceivePipe;
import io.xmig.control.pipe.SendOptions;
import io.xmig.control.pipe.StatusLines;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.SessionTimes;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.cli.ByteSize;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.cli.TimeSpan;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaStack;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xmig receive}: from a sender to standard output. */
@Command(
    name = "receive",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Wait for one 'xmig send' and write what it sends to standard output, as a rule a QEMU"
          + " started with -incoming.",
      "",
      "The end of the stream, which starts the guest, is written only after length and SHA-256 of"
          + " the whole were found right. If nothing could be received, QEMU gets an invalid header,"
          + " so that it ends instead of waiting for ever."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:everything was verified and written",
      "1:it failed or was cancelled, the message says why",
      "2:wrong usage",
      "143:stopped by SIGTERM, the sender was told"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  qemu-system-x86_64 … -incoming \"exec:xmig receive --service vm7\"",
      "  QMP after -incoming defer, safe whatever happens to the receiver:",
      "  migrate-incoming \"exec:exec 3<&0; { xmig receive --service vm7 <&3 3<&- || printf X; } & exit 0\"",
      "  xmig receive --raw --service SID:… > disk.img"
    })
public final class ReceiveCommand implements Callable<Integer> {
  private static final Duration REGISTER = Duration.ofSeconds(5);
  private static final long REGISTER_AGAIN_NS = 10_000_000_000L;

  @Spec private CommandSpec spec;

  @Mixin private StackOption xia = new StackOption();

  @Mixin private SharedOptions shared = new SharedOptions();

  @Option(
      names = "--service",
      paramLabel = "SID_OR_NAME",
      defaultValue = Destination.DEFAULT_SERVICE,
      description =
          "Where to listen: SID:… or a name. A name's SID is its SHA-1, and it is registered with"
              + " the name service. Default: ${DEFAULT-VALUE}, which is not registered.")
  private String service = Destination.DEFAULT_SERVICE;

  @Option(
      names = "--accept-timeout",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "0",
      description = "How long to wait for a sender, 0 for ever. Default: ${DEFAULT-VALUE}.")
  private Duration acceptTimeout = Duration.ZERO;

  @Option(
      names = "--in-flight",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      defaultValue = "32M",
      description = "Most bytes the sender may be ahead: memory. Default: ${DEFAULT-VALUE}.")
  private long inFlight;

  @Override
  public Integer call() throws IOException {
    Xid sid = checkUsage();
    StandardStreams.Kind output = StandardStreams.of(1);
    switch (output) {
      case CLOSED ->
          throw new IllegalStateException("standard output is closed; QEMU's exec: opens it");
      case TERMINAL ->
          throw new IllegalStateException(
              "standard output is a terminal; use it in QEMU's exec: or redirect to a file");
      case PIPE, FILE -> {}
    }
    if (shared.detach) {
      Detach.respawn();
      return 0;
    }
    boolean mark = output == StandardStreams.Kind.PIPE && !shared.raw;
    try {
      StatusLines status = shared.openStatus();
      XiaStack stack = xia.open();
      return new PipeRun("receive", status, spec.commandLine().getErr())
          .runAsProcess(
              stack,
              () ->
                  pipe(
                      stack,
                      sid,
                      BlockingOutput.of(new FileOutputStream(FileDescriptor.out), stack.loop()),
                      mark,
                      status),
              ProcessEnd.atOnce());
    } catch (RuntimeException e) {
      if (mark) {
        // QEMU does not notice an end without a byte.
        new FileOutputStream(FileDescriptor.out).write(FailureMark.bytes());
      }
      throw e;
    }
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
   * @return where to listen
   * @throws ParameterException with the option
   */
  Xid checkUsage() {
    if (inFlight < 1 << 20 || inFlight > 1 << 30) {
      throw new ParameterException(spec.commandLine(), "--in-flight must be 1M to 1G");
    }
    try {
      return Destination.service(service);
    } catch (DagParseException e) {
      throw new ParameterException(
          spec.commandLine(), "--service is neither a SID nor a name: " + e.getMessage(), e);
    }
  }

  /**
   * The transfer that the options describe; on the stack's loop.
   *
   * @param mark whether an output that got nothing gets what no QEMU accepts
   */
  PipeRun.Pipe pipe(XiaStack stack, Xid sid, ByteOutput output, boolean mark, StatusLines status) {
    EventLoop loop = stack.loop();
    ReceiveOptions options =
        new ReceiveOptions(
            SessionTimes.of(SessionTimes.DEFAULT_CONNECT, shared.resumeTimeout),
            Math.max(inFlight, SendOptions.LEAST_MAX_IN_FLIGHT),
            shared.raw,
            mark,
            acceptTimeout.toNanos(),
            shared.settleNs(),
            "xmig receive");
    PrintWriter err = spec.commandLine().getErr();
    boolean register = Destination.isName(service) && !service.equals(Destination.DEFAULT_SERVICE);
    Lane hashes = new Lane(PipeRun.lane("hash"), loop);
    ReceivePipe pipe =
        new ReceivePipe(
            stack,
            sid,
            output,
            hashes,
            hashes,
            ChunkStore.NONE,
            options,
            (name, facts) -> {
              status.event(name, facts);
              if (name.equals("listening")) {
                onListening(stack, facts, register, err, status);
              }
            });
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

  private void onListening(
      XiaStack stack, Map<String, ?> facts, boolean register, PrintWriter err, StatusLines status) {
    err.println("xmig receive: listening at " + facts.get("dag"));
    err.flush();
    if (register) {
      Registration registration = new Registration(stack, service, REGISTER, REGISTER_AGAIN_NS);
      registration.begin(
          Destination.service(service),
          trouble -> {
            err.println("xmig receive: " + trouble + "; reachable by its DAG");
            err.flush();
          },
          () -> status.event("registered", Map.of("name", service)));
    }
  }
}
