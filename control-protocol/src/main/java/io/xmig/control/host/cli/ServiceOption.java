package io.xmig.control.host.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.xmig.control.host.HostClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which host service a command talks to. */
final class ServiceOption {
  /** Environment variable with the default of {@code --service-at}. */
  static final String ENVIRONMENT = "XMIG_HOST";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--service-at",
      paramLabel = "WHERE",
      description = {
        "The host service: path of its socket, or HOST:PORT with the --tls options.",
        "Default: $XMIG_HOST, else ~/.local/state/xmig/host.sock."
      })
  private @Nullable String where;

  @Option(names = "--tls-cert", paramLabel = "PEM", description = "Certificate for HOST:PORT.")
  private @Nullable Path certificate;

  @Option(names = "--tls-key", paramLabel = "PEM", description = "Its key.")
  private @Nullable Path key;

  @Option(names = "--tls-ca", paramLabel = "PEM", description = "Who signs the service's.")
  private @Nullable Path authorities;

  /** A call to the service. */
  @FunctionalInterface
  interface Call {
    int run(HostClient client);
  }

  /** Connects, calls, and turns the service's refusals into one line and exit code 1. */
  int with(Call call) {
    PrintWriter err = command.commandLine().getErr();
    String target = target();
    try (HostClient client = open(target)) {
      return call.run(client);
    } catch (StatusRuntimeException e) {
      Status status = e.getStatus();
      if (status.getCode() == Status.Code.UNAVAILABLE) {
        err.printf(
            "%s: no host service at %s; start one with: xmig host%n",
            command.qualifiedName(), target);
      } else {
        err.printf("%s: %s%n", command.qualifiedName(), status.getDescription());
      }
    } catch (IOException e) {
      err.printf("%s: cannot read the certificates: %s%n", command.qualifiedName(), e.getMessage());
    }
    return 1;
  }

  private HostClient open(String target) throws IOException {
    if (target.startsWith("/") || target.startsWith(".") || target.indexOf(':') < 0) {
      return HostClient.onSocket(Path.of(target).toAbsolutePath());
    }
    if (certificate == null || key == null || authorities == null) {
      throw new ParameterException(
          command.commandLine(), "HOST:PORT needs --tls-cert, --tls-key and --tls-ca");
    }
    return HostClient.overTls(target, certificate, key, authorities);
  }

  private String target() {
    if (where != null) {
      return where;
    }
    String fromEnvironment = System.getenv(ENVIRONMENT);
    return fromEnvironment == null || fromEnvironment.isEmpty()
        ? HostCommand.defaultState().resolve("host.sock").toString()
        : fromEnvironment;
  }
}
