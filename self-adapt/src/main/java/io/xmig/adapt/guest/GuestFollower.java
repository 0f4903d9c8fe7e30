package io.xmig.adapt.guest;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.agent.Attachment;
import io.xmig.adapt.agent.MobilitySign;
import io.xmig.xia.addr.Xid;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's side of a guest, one per guest: acts the moment the guest runs here, and falls silent
 * when it stops, lest it call the guest back from where it has gone. Of a guest with an agent of
 * its own it says where it is, and leaves the rest to that agent.
 *
 * @threading on the loop of the host's stack
 */
public final class GuestFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GuestFollower.class);

  /** Where the guest is, as far as it concerns this host. */
  private enum Phase {
    AWAY,
    EXPECTED,
    HERE
  }

  private final AgentConfig config;
  private final Function<AgentConfig, Agent> agents;
  private final Runnable plugIn;
  private List<Xid> formerAds;
  private @Nullable Agent agent;
  private Phase phase = Phase.AWAY;
  private boolean saidBefore; // where the guest is, before it ran
  private CompletableFuture<Void> opening = CompletableFuture.completedFuture(null);

  /**
   * @param config with {@link AgentConfig#guest} and the domains the guest comes from
   * @param agents makes an agent on the host's stack
   */
  public GuestFollower(AgentConfig config, Function<AgentConfig, Agent> agents) {
    this(config, agents, () -> {});
  }

  /**
   * @param plugIn lets the network know where the guest is plugged in, just before the first word
   *     that the guest is to hear; not earlier, lest it finds all that is sent to everybody while
   *     it is on its way
   */
  public GuestFollower(AgentConfig config, Function<AgentConfig, Agent> agents, Runnable plugIn) {
    if (config.guest() == null) {
      throw new IllegalArgumentException("the configuration names no guest");
    }
    this.config = config;
    this.agents = agents;
    this.plugIn = plugIn;
    this.formerAds = config.formerAds();
  }

  /**
   * The guest comes here and does not run yet: what can be done before it does is done. Repeating
   * this is harmless.
   */
  public CompletableFuture<Void> expected() {
    if (phase != Phase.AWAY) {
      return CompletableFuture.completedFuture(null);
    }
    Agent fresh = agents.apply(config.withFormerAds(formerAds));
    agent = fresh;
    phase = Phase.EXPECTED;
    opening = orForgotten(fresh, fresh.expect());
    return opening;
  }

  /**
   * All of an expected guest is here, and it runs nowhere else any more: says where it will answer
   * while the rest is done that it takes to run.
   */
  public CompletableFuture<Void> loaded() {
    if (phase != Phase.EXPECTED) {
      return CompletableFuture.completedFuture(null);
    }
    saidBefore = true;
    plugIn.run();
    return speak();
  }

  /** The guest runs here now (QMP RESUME). Repeating this is harmless. */
  public CompletableFuture<Void> running() {
    Agent now = agent;
    if (phase != Phase.HERE || now == null || now.closed() && !saidBefore) {
      return speak();
    }
    if (!saidBefore) {
      now.sign(MobilitySign.RESUME);
    }
    saidBefore = false;
    return CompletableFuture.completedFuture(null);
  }

  private CompletableFuture<Void> speak() {
    Agent ready = agent;
    boolean prepared = phase == Phase.EXPECTED && ready != null;
    phase = Phase.HERE;
    if (prepared) {
      return opening.thenCompose(open -> orForgotten(ready, ready.start()));
    }
    if (ready != null) {
      formerAds = domains(ready); // it has said all it had to, and ended
    }
    Agent fresh = agents.apply(config.withFormerAds(formerAds));
    agent = fresh;
    return orForgotten(fresh, fresh.start());
  }

  private CompletableFuture<Void> orForgotten(Agent fresh, CompletableFuture<Void> started) {
    return started.whenComplete(
        (done, error) -> {
          if (error != null) {
            LOG.warn("cannot speak for the guest {}: {}", fresh.hid(), error.getMessage());
            if (agent == fresh) {
              agent = null;
              phase = Phase.AWAY;
            }
          }
        });
  }

  /** The guest does not run here any more (QMP STOP), for a while or for good. */
  public void stopped() {
    Agent old = agent;
    agent = null;
    phase = Phase.AWAY;
    saidBefore = false;
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
