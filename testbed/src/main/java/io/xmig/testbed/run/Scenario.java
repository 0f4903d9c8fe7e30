package io.xmig.testbed.run;

import io.xmig.testbed.network.ChainTopology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An experiment: which nodes there are and what runs on them.
 *
 * @param name as on the command line
 * @param topology name of the Click file
 * @param click its text
 * @param hosts those that can run the VM, in the order in which it moves from one to the next, and
 *     from the last to the first
 * @param client where Xping and Cal run
 * @param nameServer where the name server runs
 */
record Scenario(
    String name,
    String topology,
    String click,
    List<String> hosts,
    String client,
    String nameServer) {
  /** Names of the scenarios. */
  static final List<String> NAMES = List.of("intra-ad", "inter-ad");

  private static final String NAME_SERVER_LINE = "(?m)^// \\w+ :: nameserver$";

  /**
   * The scenario of a name.
   *
   * @param topologies where the Click files are
   * @throws IllegalArgumentException for an unknown name, or numbers that do not fit it
   */
  static Scenario of(String name, Path topologies, RunOptions options) throws IOException {
    return switch (name) {
      case "intra-ad" -> intraAd(topologies, options);
      case "inter-ad" -> interAd(topologies, options);
      default -> throw new IllegalArgumentException("no scenario '" + name + "', only " + NAMES);
    };
  }

  /** Migration within one domain, the paper's Fig. 1a. */
  private static Scenario intraAd(Path topologies, RunOptions options) throws IOException {
    if (options.ads != null || options.clientAd != null) {
      throw new IllegalArgumentException("--ads and --client-ad are for inter-ad");
    }
    return named(
        "intra-ad",
        "intra-ad.click",
        Files.readString(topologies.resolve("intra-ad.click")),
        List.of("HOST_A", "HOST_B"),
        options.nameServer);
  }

  /** Migration between domains, with two of them the paper's Fig. 1b. */
  private static Scenario interAd(Path topologies, RunOptions options) throws IOException {
    ChainTopology chain =
        new ChainTopology(
            options.ads == null ? 2 : options.ads, options.clientAd == null ? 1 : options.clientAd);
    String file =
        chain.domains() == 2 && chain.clientDomain() == 1
            ? "inter-ad.click"
            : chain.domains() == 2 && chain.clientDomain() == 3 ? "third-ad.click" : null;
    return named(
        "inter-ad",
        file == null ? "chain-of-" + chain.domains() + ".click" : file,
        file == null ? chain.click() : Files.readString(topologies.resolve(file)),
        chain.hosts(),
        options.nameServer);
  }

  private static Scenario named(
      String name, String file, String click, List<String> hosts, @Nullable String nameServer) {
    String at = nameServer == null ? hosts.get(0) : nameServer;
    if (!hosts.contains(at) && !at.equals(ChainTopology.CLIENT)) {
      throw new IllegalArgumentException(
          "--name-server: no host '" + at + "', only " + hosts + " and " + ChainTopology.CLIENT);
    }
    return new Scenario(
        name,
        file,
        click.replaceFirst(NAME_SERVER_LINE, "// " + at + " :: nameserver"),
        hosts,
        ChainTopology.CLIENT,
        at);
  }

  /** Host that the VM is on after a number of moves. */
  String hostAfter(int moves) {
    return hosts.get(moves % hosts.size());
  }
}
