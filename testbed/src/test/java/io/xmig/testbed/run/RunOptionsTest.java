package io.xmig.testbed.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class RunOptionsTest {
  private static RunOptions parsed(String... words) {
    RunOptions options = new RunOptions();
    CommandLine.populateCommand(options, words);
    return options;
  }

  @Test
  void whereNamespacesAreNotAllowedUserSpaceLinksAreTakenAndThatIsSaid() {
    RunOptions options = parsed("--links", "veth");

    assertThat(options.withLinksThatAreThere(() -> "network namespaces need root"))
        .contains("network namespaces need root", "--links user");
    assertThat(options.links).isEqualTo("user");
  }

  @Test
  void whereTheyAreAllowedTheyAreTaken() {
    RunOptions options = parsed("--links", "veth");

    assertThat(options.withLinksThatAreThere(() -> "")).isEmpty();
    assertThat(options.links).isEqualTo("veth");
  }

  @Test
  void userSpaceLinksNeedNothing() {
    assertThat(
            parsed()
                .withLinksThatAreThere(
                    () -> {
                      throw new AssertionError("looked for namespaces");
                    }))
        .isEmpty();
  }
}
