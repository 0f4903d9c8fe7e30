package io.xmig.adapt.service;

import io.xmig.adapt.names.NameServer;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.util.concurrent.CompletableFuture;

/** The name server that also takes unsigned names, in its node's process. */
public final class NameServerService implements NodeService {
  @Override
  public String name() {
    return "nameserver";
  }

  @Override
  public CompletableFuture<AutoCloseable> start(XiaStack stack) {
    return AdaptServices.nameServer(
            stack, new NameServer.Config(null, true, NameServer.DEFAULT_CAPACITY))
        .thenApply(started -> started);
  }
}
