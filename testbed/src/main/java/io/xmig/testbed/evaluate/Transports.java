package io.xmig.testbed.evaluate;

import io.xmig.control.host.XmigPipes;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.PipeCommand;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The two URIs of a migration in a mode.
 *
 * @param incoming for the destination's {@code migrate-incoming}
 * @param outgoing for the source's {@code migrate}
 * @param pipes what is behind them, destination's first; empty without
 * @param listens how to see that the destination is ready
 */
record Transports(String incoming, String outgoing, List<MigrationPipe> pipes, Ready listens) {
  /** What says that the receiving side can be connected to. */
  sealed interface Ready {
    /** A TCP port that somebody listens on. */
    record Port(int port) implements Ready {}

    /** A status file with the word in it. */
    record Said(Path file, String word) implements Ready {}
  }

  /**
   * @param stack {@code --xia} of the pipes on a host
   * @param resident control socket of the resident pipes on a host
   * @param address a host's address of a service
   */
  static Transports of(
      Mode mode,
      String id,
      Path directory,
      String launcher,
      String from,
      String to,
      String toAddress,
      int port,
      Function<String, String> stack,
      Function<String, Path> resident,
      Function<io.xmig.xia.addr.Xid, String> address) {
    switch (mode) {
      case SOCAT, SOCAT_ZSTD -> {
        boolean packed = mode == Mode.SOCAT_ZSTD;
        String in = "socat -u TCP-LISTEN:" + port + ",bind=" + toAddress + ",reuseaddr STDOUT";
        String out = "socat -u STDIN TCP:" + toAddress + ":" + port;
        PipeCommand receiver =
            PipeCommand.in(
                directory,
                "receive-" + id,
                List.of("sh", "-c", packed ? in + " | zstd -q -d -c" : "exec " + in));
        PipeCommand sender =
            PipeCommand.in(
                directory,
                "send-" + id,
                List.of("sh", "-c", packed ? "zstd -q -1 -c | " + out : "exec " + out));
        return new Transports(
            receiver.uri(), sender.uri(), List.of(receiver, sender), new Ready.Port(port));
      }
      case XIA, XIA_AUTO, XIA_EXEC, XIA_LIBRARY -> {
        List<String> sending = new ArrayList<>(List.of("--xia", stack.apply(from)));
        if (mode == Mode.XIA_AUTO) {
          sending.addAll(List.of("--compress", "auto"));
        }
        XmigPipes there =
            new XmigPipes(List.of(launcher), List.of("--xia", stack.apply(to)), address);
        XmigPipes here = new XmigPipes(List.of(launcher), sending, address);
        if (mode != Mode.XIA_EXEC) {
          there = there.resident(resident.apply(to));
          here = here.resident(resident.apply(from));
        }
        MigrationPipe receiver = there.receiver(directory, id);
        MigrationPipe sender = here.sender(directory, id, there.address(id));
        return new Transports(
            receiver.uri(),
            sender.uri(),
            List.of(receiver, sender),
            new Ready.Said(directory.resolve("receive-" + id + ".jsonl"), "listening"));
      }
      default -> {
        String uri = "tcp:" + toAddress + ":" + port;
        return new Transports(uri, uri, List.of(), new Ready.Port(port));
      }
    }
  }
}
