package io.xmig.adapt.service;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.trust.Ed25519;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.security.SecureRandom;
import java.util.concurrent.CompletableFuture;

/** The agent of a host without a key, in its node's process. */
public final class AgentService implements NodeService {
  @Override
  public String name() {
    return "agent";
  }

  @Override
  public CompletableFuture<AutoCloseable> start(XiaStack stack) {
    Agent agent =
        new Agent(
            stack, AgentConfig.unsigned(), new Ed25519(), new SecureRandom(), EpochClock::micros);
    return agent.start().thenApply(done -> agent);
  }
}
