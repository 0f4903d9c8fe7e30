package io.xmig.control.cli;

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
import io.xmig.xia.socket.ipc.BufferPool;
import io.xmig.xia.socket.ipc.IpcServer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Two hosts on one wire in this process, whose API sockets are there for other processes. */
final class Wire implements AutoCloseable {
  private static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  private static final int MTU = 9000;

  final NodeLoop loop = NodeLoop.start("wire");
  private final Path directory;

  private final List<XiaNode> nodes = new CopyOnWriteArrayList<>();

  Wire(Path directory) throws Exception {
    this.directory = directory;
    loop.call(this::build).get(60, TimeUnit.SECONDS);
  }

  static Xid hid(int host) {
    return Xid.parse("HID:000000000000000000000000000000000000000" + host);
  }

  /** What {@code --xia} gets. */
  String stack(int host) {
    return "node:" + socket(host);
  }

  /** A host's node, for use on its loop. */
  XiaNode node(int host) {
    return nodes.get(host);
  }

  private Path socket(int host) {
    return directory.resolve("host" + host + ".api");
  }

  /** What {@code --to} gets. */
  String service(int host, Xid sid) {
    return new LocalAddress(AD, hid(host), null).service(sid).toString();
  }

  private Void build() {
    MemoryLink[] wire = MemoryLink.pair(loop, "wire", LinkOptions.ofMtu(MTU));
    for (int i = 0; i < 2; i++) {
      BufferPool pool = new BufferPool(32 << 20);
      XiaNode node =
          new XiaNode(
              NodeConfig.host("host" + i, new LocalAddress(AD, hid(i), null), 0x0200_0000_0001L + i)
                  .withMtu(MTU),
              loop,
              new Random(i),
              StreamOptions.defaults(),
              ChunkOptions.defaults().withAllocator(pool::take));
      nodes.add(node);
      node.routes(XidType.AD).set(AD, RoutePort.LOCAL, null, 0);
      node.routes(XidType.HID).set(hid(1 - i), 0, null, 0);
      MemoryLink link = wire[i];
      node.attach(0, link);
      link.receiver(frame -> node.receive(0, frame));
      loop.own(new IpcServer(loop, socket(i), () -> new NodeStack(node), pool));
    }
    return null;
  }

  @Override
  public void close() {
    loop.close();
  }
}
