package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.MemoryLink;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.api.LocalApiServer;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Two hosts on one link, each serving programs through the local API. */
final class TwoNodes implements AutoCloseable {
  static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  static final Xid HID0 = Xid.parse("HID:0000000000000000000000000000000000000000");
  static final Xid HID1 = Xid.parse("HID:0000000000000000000000000000000000000001");

  final NodeLoop loop;
  final NodeStack stack0;
  final NodeStack stack1;
  final LocalApiServer api0;
  final LocalApiServer api1;

  TwoNodes() throws Exception {
    loop = NodeLoop.start("two-nodes");
    NodeStack[] stacks = call(this::build);
    stack0 = stacks[0];
    stack1 = stacks[1];
    api0 = LocalApiServer.start(loop, stack0, 0, false);
    api1 = LocalApiServer.start(loop, stack1, 0, false);
  }

  private NodeStack[] build() throws IOException {
    MemoryLink[] link = MemoryLink.pair(loop, "wire", LinkOptions.ofMtu(9000));
    XiaNode node0 = node("host0", HID0, 0x020000000010L, 1);
    XiaNode node1 = node("host1", HID1, 0x020000000110L, 2);
    node0.attach(0, link[0]);
    node1.attach(0, link[1]);
    link[0].receiver(frame -> node0.receive(0, frame));
    link[1].receiver(frame -> node1.receive(0, frame));
    route(node0, HID1);
    route(node1, HID0);
    return new NodeStack[] {new NodeStack(node0), new NodeStack(node1)};
  }

  private XiaNode node(String name, Xid hid, long mac, long seed) {
    NodeConfig config = NodeConfig.host(name, new LocalAddress(AD, hid, null), mac);
    return new XiaNode(config.withMtu(9000), loop, new Random(seed));
  }

  private static void route(XiaNode node, Xid peer) {
    node.routes(XidType.AD).set(AD, -2, null, 0);
    node.routes(XidType.HID).set(peer, 0, peer, 0);
  }

  <T> T call(Callable<T> task) throws Exception {
    return loop.call(task).get(60, TimeUnit.SECONDS);
  }

  /** Runs something on the loop that completes later, and waits for it. */
  <T> T await(Callable<CompletableFuture<T>> task) throws Exception {
    return call(task).get(60, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    api0.close();
    api1.close();
    loop.close();
  }
}
