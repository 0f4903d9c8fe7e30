package io.xmig.adapt.cli;

import io.xmig.adapt.names.NameJournal;
import io.xmig.adapt.names.NameServer;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.service.NameFile;
import io.xmig.xia.XiaException;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code xmig nameserver}. */
@Command(
    name = "nameserver",
    mixinStandardHelpOptions = true,
    description = "Run the name service on this host until SIGTERM.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:told to end", "1:the node is gone or refused", "2:wrong usage"},
    footerHeading = "%nExample:%n",
    footer = "  xmig nameserver --key keys/3fa9… --state names.json")
public final class NameServerCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;
  @Mixin private StackOption xia = new StackOption();
  @Mixin private TrustOptions trust = new TrustOptions();

  @Option(
      names = "--capacity",
      paramLabel = "N",
      defaultValue = "100000",
      description = "Names held. Default: ${DEFAULT-VALUE}.")
  private int capacity = NameServer.DEFAULT_CAPACITY;

  @Option(
      names = "--state",
      paramLabel = "FILE",
      description =
          "Keep names in this file, so that a restart gives none of them away. Without it a name"
              + " belongs to whoever registers it first after the start.")
  private @Nullable Path state;

  /** What the options say. */
  NameServer.Config config() {
    if (capacity < 1 || capacity > 10_000_000) {
      throw trust.usage("--capacity: expected 1 to 10000000, not " + capacity);
    }
    return new NameServer.Config(trust.signer(), trust.acceptUnsigned(), capacity);
  }

  @Override
  public Integer call() throws IOException {
    NameServer.Config config = config();
    try (NameFile journal = journal();
        XiaStack stack = xia.open()) {
      NameServer server =
          Running.await(
              AdaptServices.nameServer(
                  stack, config, journal == null ? NameJournal.NONE : journal));
      if (spec != null) {
        spec.commandLine().getOut().println("name server ready");
        spec.commandLine().getOut().flush();
      }
      return Running.untilEnd(stack, server::close);
    }
  }

  /** The journal that --state names, {@code null} without. */
  @Nullable NameFile journal() {
    if (state == null) {
      return null;
    }
    try {
      return new NameFile(state);
    } catch (IOException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT,
          "--state: " + state + " can be neither read nor written",
          Map.of("why", e.toString()));
    }
  }
}
