package io.xmig.control.host.cli;

import io.xmig.control.host.v1.ListRequest;
import io.xmig.control.host.v1.NicAttachment;
import io.xmig.control.host.v1.PrepareReceiveRequest;
import io.xmig.control.host.v1.StartVmRequest;
import io.xmig.control.host.v1.StopRequest;
import io.xmig.control.host.v1.VmInfo;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig vm}: the VMs of this host. */
@Command(
    name = "vm",
    scope = CommandLine.ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    description = "Start, list, expect and stop VMs of this host.",
    subcommands = {
      VmCommand.Start.class,
      VmCommand.ListVms.class,
      VmCommand.Expect.class,
      VmCommand.Stop.class,
      VmCommand.Watch.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:it failed; the message says why", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig vm start vm7 --kernel vmlinuz --initrd initrd --mac 52:54:00:12:34:56",
      "  xmig vm list",
      "  xmig vm stop vm7"
    })
public final class VmCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say which: start, list, expect, stop, watch");
  }

  /** How a card is attached. */
  static final class NicOptions {
    @Option(
        names = "--nic",
        paramLabel = "SOCKET|tap:DEVICE",
        description = "Attach the network card there instead of the service's default.")
    private @Nullable String nic;

    @Option(
        names = "--nic-local",
        paramLabel = "SOCKET",
        description = "The socket that frames for the guest are sent to.")
    private @Nullable String local;

    @Nullable NicAttachment attachment() {
      if (nic == null && local == null) {
        return null;
      }
      NicAttachment.Builder made = NicAttachment.newBuilder();
      if (nic != null && nic.startsWith("tap:")) {
        made.setTap(nic.substring("tap:".length()));
      } else if (nic != null) {
        made.setRemote(absolute(nic));
      }
      if (local != null) {
        made.setLocal(absolute(local));
      }
      return made.build();
    }
  }

  private static String absolute(String path) {
    return Path.of(path).toAbsolutePath().normalize().toString();
  }

  private static void print(PrintWriter out, VmInfo vm) {
    out.printf(
        "%-16s %-12s pid %-7d %d MiB, %s (%s)%s%n",
        vm.getName(),
        vm.getState(),
        vm.getPid(),
        vm.getMemoryMib(),
        vm.getAccelerator(),
        vm.getAcceleratorReason(),
        vm.getMigration().isEmpty() ? "" : ", migration " + vm.getMigration());
    out.printf("%-16s console %s%n", "", vm.getSerialLog());
    out.flush();
  }

  /** {@code xmig vm start}. */
  @Command(
      name = "start",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Start a VM.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {"0:it runs", "1:it could not be started", "2:wrong usage"})
  static final class Start implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ServiceOption service = new ServiceOption();
    @Mixin private NicOptions nic = new NicOptions();

    @Parameters(index = "0", paramLabel = "VM", description = "Its name.")
    private String name = "";

    @Option(
        names = "--memory",
        paramLabel = "MIB",
        defaultValue = "640",
        description = "Memory of the VM. Default: ${DEFAULT-VALUE}.")
    private int memoryMib;

    @Option(names = "--kernel", required = true, paramLabel = "FILE", description = "Kernel.")
    private String kernel = "";

    @Option(
        names = "--initrd",
        required = true,
        paramLabel = "FILE",
        description = "Initial RAM file system.")
    private String initrd = "";

    @Option(
        names = "--append",
        paramLabel = "TEXT",
        defaultValue = "console=ttyS0 panic=-1",
        description = "Kernel arguments. Default: ${DEFAULT-VALUE}.")
    private String append = "";

    @Option(names = "--disk", paramLabel = "FILE", description = "Raw disk image.")
    private @Nullable String disk;

    @Option(
        names = "--mac",
        paramLabel = "MAC",
        defaultValue = "",
        description = "Address of its network card; none without.")
    private String mac = "";

    @Option(
        names = "--mtu",
        paramLabel = "BYTES",
        defaultValue = "0",
        description = "MTU of its network card, if not 1500.")
    private int mtu;

    @Override
    public Integer call() {
      return service.with(
          client -> {
            StartVmRequest.Builder request =
                StartVmRequest.newBuilder()
                    .setName(name)
                    .setMemoryMib(memoryMib)
                    .setKernel(absolute(kernel))
                    .setInitrd(absolute(initrd))
                    .setAppend(append)
                    .setMac(mac)
                    .setHostMtu(mtu);
            if (disk != null) {
              request.setDisk(absolute(disk));
            }
            NicAttachment attachment = nic.attachment();
            if (attachment != null) {
              request.setNic(attachment);
            }
            print(spec.commandLine().getOut(), client.calls().startVm(request.build()));
            return 0;
          });
    }
  }

  /** {@code xmig vm list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List the VMs of this host.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {"0:done", "1:no answer", "2:wrong usage"})
  static final class ListVms implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ServiceOption service = new ServiceOption();

    @Override
    public Integer call() {
      return service.with(
          client -> {
            PrintWriter out = spec.commandLine().getOut();
            client
                .calls()
                .list(ListRequest.getDefaultInstance())
                .getVmsList()
                .forEach(vm -> print(out, vm));
            return 0;
          });
    }
  }

  /** {@code xmig vm expect}. */
  @Command(
      name = "expect",
      mixinStandardHelpOptions = true,
      description = "Say how a VM that will arrive is attached here.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {"0:done", "1:refused", "2:wrong usage"})
  static final class Expect implements Callable<Integer> {
    @Mixin private ServiceOption service = new ServiceOption();
    @Mixin private NicOptions nic = new NicOptions();

    @Parameters(index = "0", paramLabel = "VM", description = "Its name.")
    private String name = "";

    @Option(names = "--disk", paramLabel = "FILE", description = "Where its disk is put, or is.")
    private @Nullable String disk;

    @Override
    public Integer call() {
      return service.with(
          client -> {
            PrepareReceiveRequest.Builder request =
                PrepareReceiveRequest.newBuilder().setName(name);
            NicAttachment attachment = nic.attachment();
            if (attachment != null) {
              request.setNic(attachment);
            }
            if (disk != null) {
              request.setDisk(absolute(disk));
            }
            client.calls().prepareReceive(request.build());
            return 0;
          });
    }
  }

  /** {@code xmig vm stop}. */
  @Command(
      name = "stop",
      mixinStandardHelpOptions = true,
      description = "End a VM.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {"0:it is gone", "1:refused", "2:wrong usage"})
  static final class Stop implements Callable<Integer> {
    @Mixin private ServiceOption service = new ServiceOption();

    @Parameters(index = "0", paramLabel = "VM", description = "Its name.")
    private String name = "";

    @Override
    public Integer call() {
      return service.with(
          client -> {
            client.calls().stop(StopRequest.newBuilder().setName(name).build());
            return 0;
          });
    }
  }

  /** {@code xmig vm watch}. */
  @Command(
      name = "watch",
      mixinStandardHelpOptions = true,
      description = "Show what happens on this host until interrupted, or to one migration.",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {"0:the migration ended", "1:no answer", "2:wrong usage"})
  static final class Watch implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ServiceOption service = new ServiceOption();

    @Parameters(
        index = "0",
        arity = "0..1",
        paramLabel = "MIGRATION",
        defaultValue = "",
        description = "Id of a migration; all without.")
    private String migration = "";

    @Option(names = "--json", description = "Print every event as a line of JSON.")
    private boolean json;

    @Override
    public Integer call() {
      return service.with(
          client -> {
            MigrationView view = MigrationView.of(spec.commandLine().getOut(), json);
            client.watch(migration).forEachRemaining(view::show);
            view.close();
            return 0;
          });
    }
  }
}
