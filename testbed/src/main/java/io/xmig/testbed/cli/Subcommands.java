package io.xmig.testbed.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** The subcommands of every module by name, in the order in which help lists them. */
final class Subcommands {
  private Subcommands() {}

  static Map<String, Class<?>> all() {
    Map<String, Class<?>> all = new LinkedHashMap<>();
    all.put("node", io.xmig.xia.cli.NodeCommand.class);
    all.put("link", io.xmig.xia.cli.LinkCommand.class);
    all.put("image", io.xmig.testbed.vm.ImageCommand.class);
    all.put("ping", io.xmig.testbed.workload.PingCommand.class);
    all.put("cal", io.xmig.testbed.workload.CalCommand.class);
    all.put("perf", io.xmig.testbed.perf.PerfCommand.class);
    all.put("bench", io.xmig.testbed.bench.BenchCommand.class);
    all.put("send", io.xmig.control.cli.SendCommand.class);
    all.put("receive", io.xmig.control.cli.ReceiveCommand.class);
    all.put("pipes", io.xmig.control.cli.PipesCommand.class);
    all.put("host", io.xmig.control.host.cli.HostCommand.class);
    all.put("vm", io.xmig.control.host.cli.VmCommand.class);
    all.put("migrate", io.xmig.control.host.cli.MigrateCommand.class);
    all.put("gateway", io.xmig.adapt.cli.GatewayCommand.class);
    all.put("agent", io.xmig.adapt.cli.AgentCommand.class);
    all.put("nameserver", io.xmig.adapt.cli.NameServerCommand.class);
    all.put("name", io.xmig.adapt.cli.NameCommand.class);
    all.put("route", io.xmig.adapt.cli.RouteCommand.class);
    all.put("key", io.xmig.adapt.cli.KeyCommand.class);
    all.put("doctor", io.xmig.xia.cli.DoctorCommand.class);
    all.put("testbed", io.xmig.testbed.run.TestbedCommand.class);
    all.put("evaluate", io.xmig.testbed.evaluate.EvaluateCommand.class);
    all.put("completion", CompletionCommand.class);
    return all;
  }
}
