package io.xmig.adapt.cli;

import io.xmig.adapt.gateway.Gateway;
import io.xmig.adapt.gateway.GatewayConfig;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.cli.TimeSpan;
import io.xmig.xia.key.Signer;
import io.xmig.xia.socket.XiaStack;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code xmig gateway}. */
@Command(
    name = "gateway",
    mixinStandardHelpOptions = true,
    description = {
      "Run the services of a domain's router until SIGTERM.",
      "",
      "They are: beacons, registration of hosts, redirection of hosts that have moved, and the"
          + " routing daemon.",
      ""
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:told to end", "1:the node is gone or refused", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig gateway --xia node:/run/r1.api --key keys/3fa9… --trust-file ads.txt",
      "  xmig gateway --xia node:/run/r1.api --accept-unsigned      (as the prototype)"
    })
public final class GatewayCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private StackOption xia = new StackOption();
  @Mixin private TrustOptions trust = new TrustOptions();

  @Option(
      names = "--name-server",
      paramLabel = "DAG",
      description =
          "Name server that beacons recommend. Default: the one this node knows, else the"
              + " router itself.")
  private @Nullable String nameServer;

  @Option(
      names = "--period",
      paramLabel = "TIME",
      defaultValue = "1s",
      converter = TimeSpan.class,
      description = "Pause between beacons. Default: ${DEFAULT-VALUE}.")
  private Duration period = Duration.ofSeconds(1);

  @Option(
      names = "--lifetime",
      paramLabel = "TIME",
      defaultValue = "60s",
      converter = TimeSpan.class,
      description = "Longest lifetime of a registration. Default: ${DEFAULT-VALUE}.")
  private Duration lifetime = Duration.ofSeconds(60);

  @Option(
      names = "--router-port",
      paramLabel = "N",
      description = "Port on which other routers are expected; repeatable. Default: all.")
  private Set<Integer> routerPorts = new HashSet<>();

  @Option(
      names = "--guest-port",
      paramLabel = "N",
      description =
          "Port on which QEMU's announcement tells where a guest is whose host is on another"
              + " port; repeatable. Default: none, guests are behind their host's port.")
  private Set<Integer> guestPorts = new HashSet<>();

  @Option(names = "--no-routing", description = "Leave the AD routes to somebody else.")
  private boolean noRouting;

  @Option(
      names = "--clock-window",
      paramLabel = "TIME",
      defaultValue = "10m",
      converter = TimeSpan.class,
      description = "How far a host's clock may be from ours. Default: ${DEFAULT-VALUE}.")
  private Duration clockWindow = Duration.ofMinutes(10);

  /** What the options say. */
  GatewayConfig config() {
    try {
      Signer signer = trust.signer();
      GatewayConfig config =
          signer == null
              ? GatewayConfig.unsigned(trust.trust())
              : GatewayConfig.signed(signer, trust.trust()).withSigner(signer, trust.mandate());
      return config
          .withNameServer(nameServer == null ? null : Dag.parse(nameServer))
          .withAcceptUnsigned(trust.acceptUnsigned())
          .withTimes(period, lifetime)
          .withRouting(!noRouting)
          .withRouterPorts(routerPorts)
          .withGuestPorts(guestPorts)
          .withClockWindow(clockWindow);
    } catch (DagParseException e) {
      throw trust.usage("--name-server: " + e.getMessage());
    } catch (IllegalArgumentException e) {
      throw trust.usage(e.getMessage());
    }
  }

  @Override
  public Integer call() {
    GatewayConfig config = config();
    try (XiaStack stack = xia.open()) {
      Gateway gateway = Running.await(AdaptServices.gateway(stack, config));
      if (spec != null) {
        spec.commandLine()
            .getOut()
            .println(
                "gateway of "
                    + Running.call(
                        stack,
                        () ->
                            java.util.concurrent.CompletableFuture.completedFuture(
                                stack.localAddress().host()))
                    + (config.signer() == null ? ", unsigned" : ", signed"));
        spec.commandLine().getOut().flush();
      }
      return Running.untilEnd(stack, gateway::close);
    }
  }
}
