package io.xmig.testbed.run;

import io.xmig.xia.click.Topology;
import io.xmig.xia.host.HostOptions;
import io.xmig.xia.host.NodeHost;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Stands in for the prototype's {@code click}: called and configured like it, and answering like it
 * on the ControlSocket, the API ports and the UDP links; inside it is our node. What it was called
 * with is left beside the program.
 */
final class FakeClick {
  private FakeClick() {}

  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(System.getProperty("fake.home"));
    Files.write(home.resolve("arguments"), List.of(arguments));
    Files.writeString(home.resolve("directory"), Path.of("").toAbsolutePath().toString());
    if (arguments.length != 1) {
      System.err.println("click: configuration file specified twice");
      System.exit(1);
    }
    Path run = Files.createTempDirectory(home, "sockets");
    NodeHost host =
        NodeHost.start(
            Topology.load(Path.of(arguments[0])),
            HostOptions.in(run).withApiPorts(HostOptions.API_PORTS_OF_FILE));
    Runtime.getRuntime().addShutdownHook(new Thread(host::close));
    Thread.currentThread().join();
  }
}
