package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.StreamAcceptor;
import io.xmig.xia.socket.StreamListener;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A bound service whose connections the node passes on. */
final class ClientListener extends ClientHandle implements StreamListener {
  private final StreamAcceptor acceptor;
  private @Nullable Dag local;

  ClientListener(IpcStack stack, int handle, StreamAcceptor acceptor) {
    super(stack, handle);
    this.acceptor = acceptor;
  }

  @Override
  void opened(ByteBuffer body) {
    local = Body.dag(body);
  }

  @Override
  void message(Op op, ByteBuffer body) {
    switch (op) {
      case DAGS -> local = Body.dag(body);
      case ACCEPTED -> {
        int connection = Body.int32(body);
        stack.accepted(connection, acceptor, body);
      }
      default -> super.message(op, body);
    }
  }

  @Override
  public Dag localDag() {
    return Objects.requireNonNull(local);
  }
}
