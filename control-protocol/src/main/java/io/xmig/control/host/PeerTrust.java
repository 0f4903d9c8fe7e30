package io.xmig.control.host;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.PublicIdentity;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which other host services are believed.
 *
 * @param signer this host's key, or {@code null} for none
 * @param verifier checks signatures
 * @param accepted hosts, by the hash of their key, that may hand VMs over to this one and take VMs
 *     from it
 * @param acceptUnsigned whether any host will do, with a key or without
 */
public record PeerTrust(
    @Nullable Signer signer, Verifier verifier, Set<Xid> accepted, boolean acceptUnsigned) {
  public PeerTrust {
    accepted = Set.copyOf(accepted);
  }

  /** Believes everybody and signs nothing. */
  public static PeerTrust unsigned() {
    return new PeerTrust(null, new Ed25519(), Set.of(), true);
  }

  /**
   * Why a host is not believed; empty if it is.
   *
   * @param key what the host says is its key; that it has the private half is not known yet
   * @param dialled what this side has dialled, and so means to talk to
   */
  Optional<String> objection(@Nullable PublicIdentity key, Collection<Xid> dialled) {
    if (acceptUnsigned) {
      return Optional.empty();
    }
    if (key == null) {
      return Optional.of(
          "the other host service has no key: start it with --key, or this one with"
              + " --accept-unsigned");
    }
    if (accepted.contains(key.hid()) || dialled.stream().anyMatch(key::owns)) {
      return Optional.empty();
    }
    return Optional.of(
        "host " + key.hid() + " is not accepted here; if it should be: --accept-from " + key.hid());
  }
}
