package io.xmig.adapt.guest;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.agent.Attachment;
import io.xmig.xia.addr.Xid;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's side of a guest that runs no agent, one per guest: acts the moment the guest runs
 * here, and falls silent when it stops, lest it call the guest back from where it has gone.
 *
 * @threading on the loop of the host's stack
 */
public final class GuestFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GuestFollower.class);

  private final AgentConfig config;
  private final Function<AgentConfig, Agent> agents;
  private List<Xid> formerAds;
  private @Nullable Agent agent;

  /**
   * @param config with {@link AgentConfig#guest} and the domains the guest comes from
   * @param agents makes an agent on the host's stack
   */
  public GuestFollower(AgentConfig config, Function<AgentConfig, Agent> agents) {
    if (config.guest() == null) {
      throw new IllegalArgumentException("the configuration names no guest");
    }
    this.config = config;
    this.agents = agents;
    this.formerAds = config.formerAds();
  }

  /** The guest runs here now (QMP RESUME). Repeating this is harmless. */
  public CompletableFuture<Void> running() {
    if (agent != null) {
      agent.sign(io.xmig.adapt.agent.MobilitySign.RESUME);
      return CompletableFuture.completedFuture(null);
    }
    Agent fresh = agents.apply(config.withFormerAds(formerAds));
    agent = fresh;
    return fresh
        .start()
        .whenComplete(
            (done, error) -> {
              if (error != null) {
                LOG.warn("cannot speak for the guest {}: {}", fresh.hid(), error.getMessage());
                if (agent == fresh) {
                  agent = null;
                }
              }
            });
  }

  /** The guest does not run here any more (QMP STOP), for a while or for good. */
  public void stopped() {
    Agent old = agent;
    agent = null;
    if (old != null) {
      formerAds = domains(old);
      old.close();
    }
  }

  /** Domains that the guest has been in, newest first: for the follower at its next host. */
  public List<Xid> domains() {
    Agent now = agent;
    return now == null ? formerAds : domains(now);
  }

  private static List<Xid> domains(Agent agent) {
    List<Xid> all = new ArrayList<>();
    Attachment place = agent.machine().place();
    if (place != null) {
      all.add(place.ad());
    }
    agent.machine().formerAds().stream().filter(ad -> !all.contains(ad)).forEach(all::add);
    return all.subList(0, Math.min(all.size(), io.xmig.adapt.signal.Location.MAX_FORMER));
  }

  /** The agent that speaks for the guest, {@code null} while it does not run here. */
  public @Nullable Agent agent() {
    return agent;
  }

  @Override
  public void close() {
    stopped();
  }
}
