package io.xmig.adapt.cli;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.xia.XiaException;
import io.xmig.xia.key.KeyFiles;
import io.xmig.xia.key.Signer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Keys and trust, the same for every service. */
final class TrustOptions {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "Private key made by 'xmig key new'; the HID of this node must be its hash."
              + " Without one the service speaks the unsigned v1.1 protocol.")
  private @Nullable Path key;

  @Option(
      names = "--mandate",
      paramLabel = "FILE",
      description = "Delegation made by 'xmig key delegate', if the key speaks for another one.")
  private @Nullable Path mandate;

  @Option(
      names = "--trust-gateway",
      paramLabel = "AD=HID",
      description =
          "Gateway that may speak for a domain; repeatable. Default: only a gateway whose"
              + " key, or whose mandate's issuer, hashes to the AD.")
  private List<String> gateways = new ArrayList<>();

  @Option(
      names = "--trust-file",
      paramLabel = "FILE",
      description = "Gateways that may speak for domains, one 'AD:… HID:…' a line.")
  private @Nullable Path trustFile;

  @Option(
      names = "--trust-any",
      description = "Believe whoever signs for a domain: no protection against rogue gateways.")
  private boolean trustAny;

  @Option(names = "--accept-unsigned", description = "Also believe unsigned v1.1 peers.")
  private boolean acceptUnsigned;

  boolean acceptUnsigned() {
    if (key == null && !acceptUnsigned) {
      throw usage("without --key the service is unsigned; say --accept-unsigned if that is meant");
    }
    return acceptUnsigned;
  }

  @Nullable Signer signer() {
    if (key == null) {
      return null;
    }
    try {
      return KeyFiles.load(key);
    } catch (IOException e) {
      throw usage("--key: cannot read " + e.getMessage() + "; make one with 'xmig key new DIR'");
    } catch (XiaException e) {
      throw usage("--key: " + e.getMessage());
    }
  }

  @Nullable Delegation mandate() {
    return mandate == null ? null : readDelegation("--mandate", mandate);
  }

  Delegation readDelegation(String option, Path file) {
    try {
      if (Files.size(file) > 64 * 1024) {
        throw usage(option + ": " + file + " is no delegation");
      }
      return Delegation.decode(Base64.getMimeDecoder().decode(Files.readString(file).trim()));
    } catch (IOException e) {
      throw usage(option + ": cannot read " + e.getMessage());
    } catch (IllegalArgumentException | XiaException e) {
      throw usage(option + ": " + file + " is no delegation: " + e.getMessage());
    }
  }

  DomainTrust trust() {
    if (trustAny) {
      return DomainTrust.open();
    }
    try {
      List<String> all = new ArrayList<>(gateways);
      if (trustFile != null) {
        Files.readAllLines(trustFile).stream()
            .map(l -> l.replaceFirst("#.*", "").trim())
            .filter(l -> !l.isEmpty())
            .forEach(all::add);
      }
      return all.isEmpty() ? DomainTrust.selfCertifying() : DomainTrust.parse(all);
    } catch (IOException e) {
      throw usage("--trust-file: cannot read " + e.getMessage());
    } catch (IllegalArgumentException | XiaException e) {
      throw usage("--trust-gateway: " + e.getMessage());
    }
  }

  ParameterException usage(String message) {
    if (command == null) {
      throw new IllegalStateException(message);
    }
    return new ParameterException(command.commandLine(), message);
  }
}
