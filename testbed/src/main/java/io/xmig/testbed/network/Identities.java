package io.xmig.testbed.network;

import io.xmig.adapt.trust.Delegation;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
import io.xmig.xia.key.KeyFiles;
import io.xmig.xia.key.PublicIdentity;
import io.xmig.xia.key.Signer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A key for every node of a run and for the VM, made anew each time: their HIDs are the hashes of
 * their keys. Private keys lie in the run's directory, which only its owner can read.
 */
public final class Identities {
  private final Path directory;
  private final Map<String, Path> files = new LinkedHashMap<>();

  private Identities(Path directory) {
    this.directory = directory;
  }

  /**
   * Makes keys and writes the run's topology: a copy of the Click text, and beside it an {@code
   * xia_address.click} that gives the names in it the HIDs of the keys.
   *
   * @param directory of the run
   * @param name of the topology's file there
   * @param click text with placeholders such as {@code HID0}
   * @param others who needs a key besides the nodes
   */
  public static Identities issue(Path directory, String name, String click, List<String> others)
      throws IOException {
    Identities made = new Identities(directory);
    Path keys = Files.createDirectories(directory.resolve("keys"));
    Topology plain = Topology.parse(name, click);
    List<String> names = new ArrayList<>();
    for (Topology.Node node : plain.nodes()) {
      made.files.put(node.name(), KeyFiles.create(keys));
      names.add(placeholder(plain, node) + " " + made.hid(node.name()));
    }
    for (String other : others) {
      made.files.put(other, KeyFiles.create(keys));
    }
    Files.writeString(
        directory.resolve("xia_address.click"),
        "XIAXIDInfo(" + String.join(",\n           ", names) + ");\n");
    Files.writeString(directory.resolve(name), click);
    return made;
  }

  private static String placeholder(Topology plain, Topology.Node node) {
    return plain.names().entrySet().stream()
        .filter(entry -> entry.getValue().equals(node.hid()))
        .map(Map.Entry::getKey)
        .sorted()
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the HID of "
                        + node.name()
                        + " in "
                        + plain.file()
                        + " has no name, so that the run cannot put that of a key in its place"));
  }

  /** Private key file of somebody; the public one stands beside it as {@code .pub}. */
  public Path key(String who) {
    Path file = files.get(who);
    if (file == null) {
      throw new IllegalArgumentException("no key for '" + who + "', only " + files.keySet());
    }
    return file;
  }

  /** The key pair. */
  public Signer signer(String who) throws IOException {
    return KeyFiles.load(key(who));
  }

  /** The public key. */
  public PublicIdentity identity(String who) throws IOException {
    Path file = key(who);
    return KeyFiles.loadPublic(file.resolveSibling(file.getFileName() + ".pub"));
  }

  /** The HID that is the hash of somebody's key. */
  public Xid hid(String who) throws IOException {
    return identity(who).hid();
  }

  /** One line of base64 of the private key, as the guest takes it. */
  public String privateBody(String who) throws IOException {
    return body(key(who));
  }

  /** One line of base64 of the public key. */
  public String publicBody(String who) throws IOException {
    Path file = key(who);
    return body(file.resolveSibling(file.getFileName() + ".pub"));
  }

  private static String body(Path pem) throws IOException {
    StringBuilder body = new StringBuilder();
    Files.readAllLines(pem).stream()
        .filter(line -> !line.startsWith("-----"))
        .forEach(line -> body.append(line.trim()));
    return body.toString();
  }

  /** Writes down who may speak for which domain; the file that services read. */
  public Path writeTrust(Network network) throws IOException {
    Path file = directory.resolve("domains.txt");
    Files.writeString(file, String.join("\n", trust(network, " ")) + "\n");
    return file;
  }

  /** The same as {@code AD:…=HID:…} items. */
  public List<String> trust(Network network, String separator) throws IOException {
    List<String> items = new ArrayList<>();
    for (String gateway : network.gateways()) {
      items.add(network.ad(gateway) + separator + hid(gateway));
    }
    return items;
  }

  /**
   * Writes the leave of one key for another to say where its owner is and what its names lead to.
   *
   * @return file for {@code --mandate}
   */
  public Path delegate(String owner, String to, long nowSeconds, long seconds) throws IOException {
    Delegation leave =
        Delegation.issue(
            signer(owner),
            identity(to),
            Delegation.SCOPE_LOCATION | Delegation.SCOPE_NAMES,
            nowSeconds - 60,
            nowSeconds + seconds);
    Path file = directory.resolve(owner + "-to-" + to + ".leave");
    Files.writeString(file, Base64.getMimeEncoder().encodeToString(leave.encode()) + "\n");
    return file;
  }
}
