package io.xmig.adapt.cli;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.guest.GuestFollower;
import io.xmig.adapt.guest.QmpFollower;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.service.AgentStatus;
import io.xmig.control.qemu.QemuException;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * {@code xmig agent --guest … --qmp …} in the process of a host's node, for every QEMU that comes
 * to listen on the socket: the guest may leave and come back.
 */
public final class FollowerInNode implements NodeService {
  private static final long LOOK_MS = 20;

  @Override
  public String name() {
    return "follower";
  }

  @Override
  public CompletableFuture<Running> start(Supplier<XiaStack> stacks, List<String> options) {
    XiaStack stack = stacks.get();
    AgentCommand command = Options.parse(new AgentCommand(), options);
    AgentConfig config = Options.check(() -> command.config(0));
    Path socket = command.qmp();
    if (config.guest() == null || socket == null) {
      throw new IllegalArgumentException("a follower needs --guest and --qmp");
    }
    Runnable plugIn = Options.check(() -> command.plugIn(stack));
    AdaptServices.warmUp();
    GuestFollower follower =
        new GuestFollower(config, changed -> AdaptServices.newAgent(stack, changed), plugIn);
    return CompletableFuture.completedFuture(new Serving(stack, follower, socket));
  }

  private static final class Serving implements Running {
    private final XiaStack stack;
    private final GuestFollower follower;
    private final Path socket;
    private final Thread watch = new Thread(this::watch, "follower");

    Serving(XiaStack stack, GuestFollower follower, Path socket) {
      this.stack = stack;
      this.follower = follower;
      this.socket = socket;
      watch.setDaemon(true);
      watch.start();
    }

    private void watch() {
      try {
        while (true) {
          if (Files.exists(socket)) {
            follow();
          }
          TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void follow() throws InterruptedException {
      try (QmpFollower events = new QmpFollower(socket, stack.loop(), follower)) {
        events.gone().handle((gone, error) -> true).get();
      } catch (QemuException | java.util.concurrent.ExecutionException e) {
        // nobody listens there any more; the socket of the next QEMU is a new one
        TimeUnit.MILLISECONDS.sleep(LOOK_MS);
      }
    }

    @Override
    public Map<String, Supplier<String>> handlers() {
      return Map.of("status", this::status);
    }

    private String status() {
      Agent agent = follower.agent();
      return agent == null
          ? "the guest does not run here\n"
          : AgentStatus.of(agent, stack.loop().nanoTime(), AdaptServices.epochMicros() / 1e3)
              .json();
    }

    @Override
    public void close() {
      watch.interrupt();
      follower.close();
    }
  }
}
