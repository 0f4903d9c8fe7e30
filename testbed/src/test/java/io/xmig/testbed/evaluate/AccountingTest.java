package io.xmig.testbed.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of processes by their command lines. */
class AccountingTest {
  private static String name(String... words) {
    return String.valueOf(Accounting.nameOf(String.join("\0", words) + "\0"));
  }

  private static String xmig(String... words) {
    return name(
        "/usr/bin/java", "-cp", "a.jar", "io.xmig.testbed.cli.Main", String.join("\0", words));
  }

  @Test
  void ourOwnAreNamedByTheirCommandAndOthersByTheirProgram() {
    assertThat(xmig("pipes", "--socket", "p")).isEqualTo("xmig pipes");
    assertThat(name("/usr/bin/qemu-system-x86_64", "-m", "640")).isEqualTo("qemu-system-x86_64");
    assertThat(Accounting.nameOf("")).as("one that has ended").isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"HOST_A=pipes", "HOST_A='pipes' '--socket' 'p'", "HOST_A=pipes --socket p"})
  void aNodeWithTheHostsPipesInsideIsAnotherKindOfProcess(String service) {
    assertThat(xmig("node", "intra-ad.click", "--only", "HOST_A", "--with", service))
        .isEqualTo("xmig node+pipes");
    assertThat(xmig("node", "intra-ad.click", "--with=" + service)).isEqualTo("xmig node+pipes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"R1=gateway --key keys/pipes", "R1='gateway' '--run' 'x=pipes'", "pipes"})
  void aNodeWithOtherServicesIsANode(String service) {
    assertThat(List.of(xmig("node", "intra-ad.click"), xmig("node", "n.click", "--with", service)))
        .containsOnly("xmig node");
  }
}
