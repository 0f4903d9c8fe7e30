package io.xmig.adapt.lab;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.testkit.SimLink;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The machine's duplicate, with its HID, its key and its agent, as when the source of a migration
 * goes on running by mistake. At routers' port 10.
 */
public final class Twin {
  private static final int PORT = 10;

  private final Domains lab;
  private final XiaNode node;
  private @Nullable Agent agent;
  private @Nullable SimLink link;

  /** A duplicate that is not running. */
  public Twin(Domains lab) {
    this.lab = lab;
    this.node =
        lab.net.add(
            NodeConfig.host(
                "twin",
                new LocalAddress(
                    Xid.parse("AD:" + "9".repeat(40)), lab.vmKey.identity().hid(), null),
                Domains.VM_MAC));
  }

  /** Runs in a domain, speaking for the same HID and name. */
  public void run(int domain, Duration lifetime) {
    stop();
    link = lab.net.link(node, 0, lab.domains.get(domain).router, PORT, lab.local);
    agent =
        new Agent(
            lab.net.stack(node),
            AgentConfig.signed(lab.vmKey, lab.trust)
                .withNames(Map.of(Domains.NAME, Domains.SERVICE))
                .withMac(Domains.VM_MAC)
                .withLifetime(lifetime),
            TestKeys.verifier(),
            lab.net.newRandom(),
            lab::epochMicros);
    lab.net.await(agent.start());
  }

  /** Is gone. */
  public void stop() {
    if (agent != null) {
      agent.close();
      agent = null;
    }
    if (link != null) {
      link.unplug();
      link = null;
    }
  }
}
