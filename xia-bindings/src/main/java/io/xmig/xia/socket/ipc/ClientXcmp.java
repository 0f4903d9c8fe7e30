package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.Map;

/** Sends echo requests through the node and hears its XCMP messages. */
final class ClientXcmp extends ClientHandle implements XcmpSocket {
  private final XcmpHandler handler;

  ClientXcmp(IpcStack stack, int handle, XcmpHandler handler) {
    super(stack, handle);
    this.handler = handler;
  }

  @Override
  void message(Op op, ByteBuffer body) {
    if (op != Op.XCMP) {
      super.message(op, body);
      return;
    }
    Dag source = Body.dag(body);
    handler.onMessage(source, body);
  }

  @Override
  public void echo(Dag destination, int id, int sequence, ByteBuffer data, int hopLimit) {
    needOpen();
    if (hopLimit < 1 || hopLimit > 255) {
      throw new IllegalArgumentException("a hop limit is 1 to 255, not " + hopLimit);
    }
    int most = stack.capabilities().maxDatagramBytes();
    if (data.remaining() > most) {
      throw new XiaSocketException(
          XiaSocketException.Kind.MESSAGE_TOO_LONG,
          "echo request too long",
          Map.of("bytes", data.remaining(), "most", most));
    }
    ByteBuffer out =
        stack.channel().begin(Op.ECHO, handle, 0, 9 + Op.Limits.DAG + data.remaining());
    out.putInt(id).putInt(sequence).put((byte) hopLimit);
    Body.putDag(out, destination);
    out.put(data.duplicate());
    stack.channel().end();
  }
}
