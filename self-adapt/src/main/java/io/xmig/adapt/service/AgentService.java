package io.xmig.adapt.service;

import io.xmig.adapt.agent.AgentConfig;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.util.concurrent.CompletableFuture;

/** The agent of a host without a key, in its node's process. */
public final class AgentService implements NodeService {
  @Override
  public String name() {
    return "agent";
  }

  @Override
  public CompletableFuture<AutoCloseable> start(XiaStack stack) {
    return AdaptServices.agent(stack, AgentConfig.unsigned()).thenApply(started -> started);
  }
}
