package io.xmig.adapt.agent;

import io.xmig.xia.addr.Xid;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an {@link AgentMachine} wants done. Nothing here may call the machine back directly. */
public interface AgentActions {
  /** Asks all gateways of the link for a beacon; those proven fresh by it count as live. */
  void solicit();

  /**
   * Moves the host: address, default routes, name server; forgets neighbours of the former place.
   *
   * @param former where the host was, {@code null} at the start
   */
  void configure(Attachment place, @Nullable Attachment former);

  /**
   * Sends a registration.
   *
   * @param stamp newest beacon stamp of the gateway
   * @param arrived whether the host has just arrived or woken up here
   * @param formerAds domains that shall redirect, newest first
   * @return its sequence number
   */
  long register(Attachment place, long stamp, boolean arrived, List<Xid> formerAds);

  /** Sends the registration of a name; its confirmation comes with the same name. */
  void registerName(String name, Attachment place);

  /** The next registration's sequence number must exceed this one. */
  void exceedSequence(long known);
}
