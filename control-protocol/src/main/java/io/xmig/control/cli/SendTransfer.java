package io.xmig.control.cli;

import io.xmig.control.pipe.BlockingInput;
import io.xmig.control.pipe.StatusLines;
import io.xmig.control.session.Outcome;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A {@code send} whose QEMU connects to a socket ({@code migrate unix:PATH}). */
final class SendTransfer extends Transfer {
  private final SendCommand command;
  private final StackSource stacks;
  private final StatusLines status;
  private final QemuListener listener;

  /**
   * Listens for QEMU from now on.
   *
   * @throws IOException if that is impossible
   */
  SendTransfer(
      String id,
      Path qemu,
      Path exit,
      SendCommand command,
      StackSource stacks,
      StatusLines status,
      PrintWriter err,
      Consumer<Transfer> onEnd)
      throws IOException {
    super(id, exit, status, err, onEnd);
    this.command = command;
    this.stacks = stacks;
    this.status = status;
    this.listener = new QemuListener(qemu);
  }

  @Override
  Outcome carry(PipeRun run) throws IOException {
    XiaStack stack = command.openStack(stacks); // while QEMU is still to come
    try {
      listener.accept();
    } catch (IOException e) {
      status.close();
      stack.close();
      throw e;
    }
    return run.run(
        stack, () -> command.pipe(stack, new BlockingInput(listener, stack.loop()), status));
  }

  @Override
  void disconnect() {
    listener.close();
  }

  @Override
  void interruptWaiting() {
    listener.stopWaiting();
  }
}
