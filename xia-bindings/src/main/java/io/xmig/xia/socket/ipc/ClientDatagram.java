package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.DatagramHandler;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A message socket of the node. */
final class ClientDatagram extends ClientHandle implements DatagramSocket {
  private final DatagramHandler handler;
  private @Nullable Dag local;
  private int links;

  ClientDatagram(IpcStack stack, int handle, DatagramHandler handler) {
    super(stack, handle);
    this.handler = handler;
  }

  @Override
  void opened(ByteBuffer body) {
    local = Body.dag(body);
    links = Body.int32(body);
  }

  @Override
  void message(Op op, ByteBuffer body) {
    switch (op) {
      case DAGS -> local = Body.dag(body);
      case DATAGRAM -> {
        int inPort = Body.int32(body);
        Dag source = Body.dag(body);
        handler.onDatagram(source, body, inPort);
      }
      default -> super.message(op, body);
    }
  }

  @Override
  public Dag localDag() {
    return Objects.requireNonNull(local);
  }

  @Override
  public int links() {
    return links;
  }

  @Override
  public void send(Dag destination, ByteBuffer payload) {
    send(Op.SEND_DATAGRAM, -1, destination, payload);
  }

  @Override
  public void sendOn(int link, Dag destination, ByteBuffer payload) {
    send(Op.SEND_ON_LINK, link, destination, payload);
  }

  private void send(Op op, int link, Dag destination, ByteBuffer payload) {
    needOpen();
    int most = stack.capabilities().maxDatagramBytes();
    if (payload.remaining() > most) {
      throw new XiaSocketException(
          XiaSocketException.Kind.MESSAGE_TOO_LONG,
          "datagram too long",
          Map.of("bytes", payload.remaining(), "most", most));
    }
    IpcChannel channel = stack.channel();
    if (channel.isCongested()) {
      return; // datagrams are best effort: the node does not keep up
    }
    ByteBuffer out = channel.begin(op, handle, 0, 4 + Op.Limits.DAG + payload.remaining());
    if (op == Op.SEND_ON_LINK) {
      out.putInt(link);
    }
    Body.putDag(out, destination);
    out.put(payload.duplicate());
    channel.end();
  }
}
