package io.xmig.control.cli;

import io.xmig.control.pipe.BlockingOutput;
import io.xmig.control.pipe.FailureMark;
import io.xmig.control.pipe.StatusLines;
import io.xmig.control.session.Outcome;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A {@code receive} whose QEMU listens on a socket ({@code migrate-incoming unix:PATH}). */
final class ReceiveTransfer extends Transfer {
  private final ReceiveCommand command;
  private final StackSource stacks;
  private final Xid service;
  private final StatusLines status;
  private final QemuConnection connection;

  ReceiveTransfer(
      String id,
      Path qemu,
      Path exit,
      ReceiveCommand command,
      StackSource stacks,
      Xid service,
      StatusLines status,
      PrintWriter err,
      Consumer<Transfer> onEnd) {
    super(id, exit, status, err, onEnd);
    this.command = command;
    this.stacks = stacks;
    this.service = service;
    this.status = status;
    this.connection = new QemuConnection(qemu);
  }

  @Override
  Outcome carry(PipeRun run) throws IOException {
    connection.start(run::stop);
    XiaStack stack;
    try {
      stack = command.openStack(stacks);
    } catch (RuntimeException e) {
      // QEMU does not notice an end without a byte
      ByteBuffer mark = ByteBuffer.wrap(FailureMark.bytes());
      GatheringByteChannel to = connection.channel();
      while (mark.hasRemaining()) {
        to.write(mark);
      }
      throw e;
    }
    boolean markFailure = !command.shared().raw;
    return run.run(
        stack,
        () ->
            command.pipe(
                stack, service, new BlockingOutput(connection, stack.loop()), markFailure, status));
  }

  @Override
  void disconnect() {
    connection.close();
  }

  @Override
  void interruptWaiting() {
    connection.stopWaiting();
  }
}
