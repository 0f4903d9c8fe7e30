package io.xmig.adapt.trust;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who may speak for an administrative domain: the key whose hash is the AD, a key that the AD's key
 * delegates to, or a gateway that the operator names. Immutable.
 *
 * <p>A domain whose AD is neither a key's hash nor named is believed only when the policy is open.
 */
public final class DomainTrust {
  private static final long MAX_FILE_BYTES = 1 << 20;

  private final Map<Xid, Set<Xid>> named;
  private final boolean anyDomain;

  private DomainTrust(Map<Xid, Set<Xid>> named, boolean anyDomain) {
    this.named = named;
    this.anyDomain = anyDomain;
  }

  /** Self-certifying domains only. */
  public static DomainTrust selfCertifying() {
    return new DomainTrust(Map.of(), false);
  }

  /** Every domain, as long as its messages are signed by somebody: no protection against rogues. */
  public static DomainTrust open() {
    return new DomainTrust(Map.of(), true);
  }

  /**
   * The named gateways; self-certifying domains are believed only if they are named too.
   *
   * @param gateways AD to the HIDs of its gateways
   */
  public static DomainTrust of(Map<Xid, Set<Xid>> gateways) {
    Map<Xid, Set<Xid>> copy = new HashMap<>();
    gateways.forEach((ad, hids) -> copy.put(ad, Set.copyOf(hids)));
    return new DomainTrust(Map.copyOf(copy), false);
  }

  /**
   * Parses {@code AD:…=HID:…} items.
   *
   * @throws IllegalArgumentException naming the item that is something else
   */
  public static DomainTrust parse(List<String> items) {
    Map<Xid, Set<Xid>> gateways = new HashMap<>();
    for (String item : items) {
      String[] parts = item.trim().split("[=\\s]+", -1);
      if (parts.length != 2) {
        throw new IllegalArgumentException("expected AD:…=HID:…, not '" + item + "'");
      }
      Xid ad = Xid.parse(parts[0]);
      Xid hid = Xid.parse(parts[1]);
      if (!ad.is(XidType.AD) || !hid.is(XidType.HID)) {
        throw new IllegalArgumentException("expected AD:…=HID:…, not '" + item + "'");
      }
      gateways.computeIfAbsent(ad, k -> new HashSet<>()).add(hid);
    }
    return of(gateways);
  }

  /** Reads {@code AD:… HID:…} lines; {@code #} starts a comment. */
  public static DomainTrust read(Path file) throws IOException {
    if (Files.size(file) > MAX_FILE_BYTES) {
      throw new IllegalArgumentException("trust file " + file + " is larger than 1 MiB");
    }
    return parse(
        Files.readAllLines(file).stream()
            .map(l -> l.replaceFirst("#.*", "").trim())
            .filter(l -> !l.isEmpty())
            .toList());
  }

  /**
   * Refuses a message whose signer may not speak for the domain. The signature itself was checked
   * before, see {@link Envelope#check} with {@link Delegation#SCOPE_DOMAIN}.
   */
  public void check(Xid ad, Envelope message) {
    if (anyDomain) {
      return;
    }
    if (named.isEmpty()) {
      if (message.subject().owns(ad)) {
        return;
      }
    } else {
      Set<Xid> gateways = named.getOrDefault(ad, Set.of());
      if (gateways.contains(message.signer().hid()) || gateways.contains(message.subject().hid())) {
        return;
      }
    }
    throw new RefusedException(
        Refusal.UNTRUSTED,
        "this key may not speak for the domain",
        Map.of("ad", ad, "key", message.signer().hid().idHex()));
  }

  @Override
  public String toString() {
    return anyDomain
        ? "any domain"
        : named.isEmpty() ? "self-certifying domains" : named.toString();
  }
}
