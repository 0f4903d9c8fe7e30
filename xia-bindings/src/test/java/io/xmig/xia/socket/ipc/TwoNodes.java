package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.MemoryLink;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.RoutePort;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.node.chunk.ChunkOptions;
import io.xmig.xia.node.stream.StreamOptions;
import io.xmig.xia.socket.LocalAddress;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Two hosts on one wire, in this process, each with its local API socket. */
final class TwoNodes implements AutoCloseable {
  static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  static final Xid SID = Xid.parse("SID:0f00000000000000000000000000000000000001");

  final NodeLoop loop = NodeLoop.start("nodes");
  final XiaNode[] nodes = new XiaNode[2];
  final IpcServer[] servers = new IpcServer[2];
  final Path[] sockets = new Path[2];

  TwoNodes(Path directory, int mtu) throws Exception {
    loop.call(() -> build(directory, mtu)).get(60, TimeUnit.SECONDS);
  }

  private Void build(Path directory, int mtu) {
    MemoryLink[] wire = MemoryLink.pair(loop, "wire", LinkOptions.ofMtu(mtu));
    for (int i = 0; i < 2; i++) {
      BufferPool pool = new BufferPool(32 << 20);
      Xid hid = Xid.parse("HID:000000000000000000000000000000000000000" + i);
      XiaNode node =
          new XiaNode(
              NodeConfig.host("host" + i, new LocalAddress(AD, hid, null), 0x0200_0000_0001L + i)
                  .withMtu(mtu),
              loop,
              new Random(i),
              StreamOptions.defaults(),
              ChunkOptions.defaults().withAllocator(pool::take));
      Xid other = Xid.parse("HID:000000000000000000000000000000000000000" + (1 - i));
      node.routes(XidType.AD).set(AD, RoutePort.LOCAL, null, 0); // both are in it, without a router
      node.routes(XidType.HID).set(other, 0, null, 0);
      MemoryLink link = wire[i];
      node.attach(0, link);
      link.receiver(frame -> node.receive(0, frame));
      nodes[i] = node;
      sockets[i] = directory.resolve("host" + i + ".api");
      servers[i] = new IpcServer(loop, sockets[i], () -> new NodeStack(node), pool);
      loop.own(servers[i]);
    }
    return null;
  }

  IpcStack connect(int node) {
    return IpcStack.connect(sockets[node]);
  }

  <T> T on(Callable<T> function) throws Exception {
    return loop.call(function).get(60, TimeUnit.SECONDS);
  }

  /** Runs on a stack's loop and waits for what comes of it. */
  static <T> T await(IpcStack stack, Callable<CompletableFuture<T>> function) throws Exception {
    CompletableFuture<T> result = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () -> {
              try {
                function
                    .call()
                    .whenComplete(
                        (value, failure) -> {
                          if (failure != null) {
                            result.completeExceptionally(failure);
                          } else {
                            result.complete(value);
                          }
                        });
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    return result.get(60, TimeUnit.SECONDS);
  }

  /** Runs on a stack's loop. */
  static void run(IpcStack stack, Runnable action) throws Exception {
    await(
        stack,
        () -> {
          action.run();
          return CompletableFuture.completedFuture(null);
        });
  }

  @Override
  public void close() {
    loop.close();
  }
}
