package io.xmig.xia.socket.ipc;

import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;

/** The client's end of something it holds of the node. */
abstract class ClientHandle {
  final IpcStack stack;
  final int handle;
  boolean closed;

  ClientHandle(IpcStack stack, int handle) {
    this.stack = stack;
    this.handle = handle;
  }

  /** The node has opened it; the body is the answer. */
  void opened(ByteBuffer body) {}

  /** A message for it. */
  void message(Op op, ByteBuffer body) {
    throw new IpcProtocolException("unexpected message", java.util.Map.of("op", op));
  }

  /** The node's process has gone. */
  void nodeGone(XiaSocketException cause) {
    closed = true;
  }

  /** Tells the node that it is not needed any more. */
  public void close() {
    if (!closed) {
      closed = true;
      stack.forget(handle);
      if (!stack.isGone()) {
        stack.channel().send(Op.CLOSE, handle, 0);
      }
    }
  }

  final void needOpen() {
    stack.needNode();
    if (closed) {
      throw new XiaSocketException(XiaSocketException.Kind.CLOSED, "the socket is closed");
    }
  }
}
