package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A part of the node's content cache. */
final class ClientSlice extends ClientHandle implements CacheSlice {
  ClientSlice(IpcStack stack, int handle) {
    super(stack, handle);
  }

  @Override
  public CompletableFuture<Void> put(Xid cid, ByteBuffer data) {
    int most = stack.capabilities().maxChunkBytes();
    if (data.remaining() > most) {
      return CompletableFuture.failedFuture(
          new XiaSocketException(
              XiaSocketException.Kind.MESSAGE_TOO_LONG,
              "chunk too long for this node",
              Map.of("bytes", data.remaining(), "most", most)));
    }
    if (closed && !stack.isGone()) {
      return CompletableFuture.failedFuture(
          new XiaSocketException(XiaSocketException.Kind.CLOSED, "the cache slice is closed"));
    }
    return stack.put(handle, cid, data);
  }

  @Override
  public void remove(Xid cid) {
    if (!closed && !stack.isGone()) {
      Body.putXid(stack.channel().begin(Op.REMOVE, handle, 0, Xid.LENGTH), cid);
      stack.channel().end();
    }
  }

  @Override
  public Dag dagOf(Xid cid) {
    return stack.localAddress().chunk(cid);
  }
}
