package io.xmig.control.host.cli;

import io.xmig.control.host.HostClient;
import io.xmig.control.host.v1.CancelRequest;
import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.MigrateRequest;
import io.xmig.control.host.v1.Result;
import io.xmig.xia.cli.TimeSpan;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig migrate}: moves a VM and shows how it goes. */
@Command(
    name = "migrate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Move a running VM from this host to another one.",
      "",
      "Interrupted by Ctrl-C the migration is cancelled and the VM stays, unless it is too late."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the VM runs at the destination",
      "1:the VM runs here as before, or the message says what happened to it",
      "2:wrong usage"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig migrate vm7 --to HOST_B",
      "  xmig migrate vm7 --to 'RE AD:… HID:…' --ram-only --json"
    })
public final class MigrateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private ServiceOption service = new ServiceOption();

  @Parameters(index = "0", paramLabel = "VM", description = "Name of the VM.")
  private String vm = "";

  @Option(
      names = "--to",
      required = true,
      paramLabel = "HOST",
      description = "The other host: its name or DAG, or that of its host service.")
  private String to = "";

  @Option(
      names = "--ram-only",
      description = "Do not send the disk: there is none, or it is on shared storage.")
  private boolean ramOnly;

  @Option(
      names = "--outage-target",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "150ms",
      description =
          "Outage to stay within, as far as guest and path allow it: what the next two options and"
              + " the bytes under way are derived from. Default: ${DEFAULT-VALUE}.")
  private Duration outageTarget = Duration.ofMillis(150);

  @Option(
      names = "--downtime-limit",
      paramLabel = "MS",
      defaultValue = "0",
      description =
          "QEMU stops the guest once it believes the rest takes no longer. 0, the default, for what"
              + " follows from the outage target and the measured rate of the path.")
  private int downtimeLimitMs;

  @Option(
      names = "--max-bandwidth",
      paramLabel = "MIB/S",
      defaultValue = "0",
      description =
          "Most that QEMU sends while the guest runs. 0, the default, for 1.25 times the measured"
              + " rate of the path.")
  private int maxBandwidthMib;

  @Option(names = "--json", description = "Print every event as a line of JSON.")
  private boolean json;

  @Override
  public Integer call() {
    return service.with(this::migrate);
  }

  private int migrate(HostClient client) {
    PrintWriter out = spec.commandLine().getOut();
    String id =
        client
            .calls()
            .migrate(
                MigrateRequest.newBuilder()
                    .setName(vm)
                    .setTo(to)
                    .setRamOnly(ramOnly)
                    .setOutageTargetMs(outageTargetMs())
                    .setDowntimeLimitMs(Math.max(0, downtimeLimitMs))
                    .setMaxBandwidth((long) Math.max(0, maxBandwidthMib) << 20)
                    .build())
            .getMigration();
    Thread cancel = new Thread(() -> cancel(client, id), "cancel");
    Runtime.getRuntime().addShutdownHook(cancel);
    MigrationView view = MigrationView.of(out, json);
    Result result = Result.getDefaultInstance();
    for (Iterator<HostEvent> events = client.watch(id); events.hasNext(); ) {
      HostEvent event = events.next();
      view.show(event);
      if (event.hasResult()) {
        result = event.getResult();
      }
    }
    view.close();
    try {
      Runtime.getRuntime().removeShutdownHook(cancel);
    } catch (IllegalStateException e) {
      return 1; // Ctrl-C: the hook is at work
    }
    return result.getOutcome() == Result.Outcome.OUTCOME_MOVED ? 0 : 1;
  }

  private int outageTargetMs() {
    long ms = outageTarget.toMillis();
    if (ms < 1 || ms > 2_000_000) {
      throw new ParameterException(spec.commandLine(), "--outage-target must be 1ms to 2000s");
    }
    return (int) ms;
  }

  private static void cancel(HostClient client, String id) {
    try {
      client.calls().cancel(CancelRequest.newBuilder().setMigration(id).build());
    } catch (io.grpc.StatusRuntimeException e) {
      System.err.println("xmig migrate: " + e.getStatus().getDescription());
    }
  }
}
