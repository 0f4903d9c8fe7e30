package io.xmig.adapt.service;

import io.xmig.adapt.gateway.GatewayConfig;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.util.concurrent.CompletableFuture;

/** The gateway of a domain that believes v1.1 hosts too, in its router's process. */
public final class GatewayService implements NodeService {
  @Override
  public String name() {
    return "gateway";
  }

  @Override
  public CompletableFuture<AutoCloseable> start(XiaStack stack) {
    return AdaptServices.gateway(stack, GatewayConfig.unsigned().withAcceptUnsigned(true))
        .thenApply(started -> started);
  }
}
