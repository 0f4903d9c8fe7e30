package io.xmig.adapt.cli;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.service.AgentStatus;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code xmig agent} in its host's node process. */
public final class AgentInNode implements NodeService {
  @Override
  public String name() {
    return "agent";
  }

  @Override
  public CompletableFuture<Running> start(Supplier<XiaStack> stacks, List<String> options) {
    XiaStack stack = stacks.get();
    AgentCommand command = Options.parse(new AgentCommand(), options);
    return AgentCommand.macOf(stack, stack.localAddress().hid())
        .thenCompose(
            mac -> {
              AgentConfig config = Options.check(() -> command.config(mac));
              return AdaptServices.agent(stack, config);
            })
        .thenApply(agent -> new Serving(agent, stack));
  }

  private record Serving(Agent agent, XiaStack stack) implements Running {
    @Override
    public Map<String, Supplier<String>> handlers() {
      return Map.of(
          "refused", () -> Options.lines(agent.refusals().counts()), "status", this::status);
    }

    private String status() {
      return AgentStatus.of(agent, stack.loop().nanoTime(), AdaptServices.epochMicros() / 1e3)
          .json();
    }

    @Override
    public void close() {
      agent.close();
    }
  }
}
