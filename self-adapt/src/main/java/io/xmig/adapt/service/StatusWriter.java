package io.xmig.adapt.service;

import io.xmig.adapt.agent.Agent;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a status file up to date while an agent runs. The file stays: it tells a successor which
 * domains redirect to this host.
 */
public final class StatusWriter implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StatusWriter.class);
  private static final long PERIOD_MS = 200;

  private final Supplier<@Nullable Agent> agents;
  private final XiaStack stack;
  private final Path file;
  private final ScheduledExecutorService worker;
  private boolean complained;
  private volatile boolean closed;

  /** Starts to write. */
  public StatusWriter(Agent agent, XiaStack stack, Path file) {
    this(() -> agent, stack, file);
  }

  /**
   * Starts to write about an agent that is not there all the time.
   *
   * @param agents the agent now, {@code null} if there is none: the file says how it was; asked on
   *     the stack's loop
   */
  public StatusWriter(Supplier<@Nullable Agent> agents, XiaStack stack, Path file) {
    this.agents = agents;
    this.stack = stack;
    this.file = file;
    this.worker =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "agent-status");
              thread.setDaemon(true);
              return thread;
            });
    worker.scheduleWithFixedDelay(this::ask, 0, PERIOD_MS, TimeUnit.MILLISECONDS);
  }

  private void ask() {
    stack
        .loop()
        .execute(
            () -> {
              Agent agent = agents.get();
              if (agent == null) {
                return;
              }
              AgentStatus status =
                  AgentStatus.of(agent, stack.loop().nanoTime(), AdaptServices.epochMicros() / 1e3);
              if (!closed) {
                worker.execute(() -> write(status));
              }
            });
  }

  private void write(AgentStatus status) {
    if (closed) {
      return;
    }
    try {
      status.write(file);
    } catch (IOException e) {
      if (!complained) {
        complained = true;
        LOG.warn("cannot write the agent's status to {}: {}", file, e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    worker.shutdownNow();
  }
}
