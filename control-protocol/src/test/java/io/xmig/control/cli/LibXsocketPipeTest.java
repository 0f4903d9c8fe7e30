package io.xmig.control.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
import io.xmig.xia.host.HostOptions;
import io.xmig.xia.host.NodeHost;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The two commands through the C library: processes with JNA, C and the local API of two nodes.
 * Chunks are small there and have to be asked for again and again.
 */
@Timeout(300)
class LibXsocketPipeTest {
  private static final Xid SERVICE = Destination.service("vm7");

  @TempDir Path dir;
  private NodeHost nodes;
  private final List<Process> processes = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    assumeThat(NodeHost.class.getResource("/linux-x86-64/libXsocket.so"))
        .as("libXsocket.so is built where gcc is")
        .isNotNull();
    Path file = dir.resolve("two.click");
    Files.writeString(
        file,
        """
        require(library xia_router_lib.click);
        host0 :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:00:10);
        host1 :: XIAEndHost(RE AD0 HID1, HID1, 1600, 1, 02:00:00:00:01:10);
        host0 -> LinkUnqueue(0.0005, 125 MB/s) -> host1;
        host1 -> LinkUnqueue(0.0005, 125 MB/s) -> host0;
        """);
    nodes =
        NodeHost.start(
            Topology.load(file), HostOptions.in(dir.resolve("run")).withMtu(9000).withApiPorts(0));
    for (int i = 0; i < 2; i++) {
      String peer = "HID:000000000000000000000000000000000000000" + (1 - i);
      nodes
          .stack("host" + i)
          .writeHandler("./xrc/n/proc/rt_AD.set", "AD:1000000000000000000000000000000000000000 -2");
      nodes.stack("host" + i).writeHandler("./xrc/n/proc/rt_HID.set4", peer + ",0," + peer + ",0");
    }
  }

  @AfterEach
  void stop() throws Exception {
    for (Process process : processes) {
      process.destroyForcibly().waitFor(120, TimeUnit.SECONDS);
    }
    if (nodes != null) {
      nodes.close();
    }
  }

  private ProcessBuilder command(String name, int host, String... options) {
    List<String> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:MaxDirectMemorySize=64m",
                "-XX:+UseSerialGC",
                "-Dxmig.launcher=test",
                "-Dlogback.configurationFile=logback-off.xml",
                "-cp",
                System.getProperty("java.class.path"),
                PipeMain.class.getName(),
                name,
                "--xia",
                "libxsocket:ours@" + nodes.apiPort("host" + host)));
    words.addAll(List.of(options));
    return new ProcessBuilder(words).redirectError(dir.resolve(name + ".err").toFile());
  }

  private Process run(ProcessBuilder builder) throws IOException {
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private String err(String name) throws IOException {
    return Files.readString(dir.resolve(name + ".err"));
  }

  @Test
  void sixtyFourMegabytesArriveUnchangedThroughTheLibrary() throws Exception {
    byte[] content = new byte[64 << 20];
    new Random(4).nextBytes(content);
    content[0] = 1;
    Path input = Files.write(dir.resolve("input"), content);
    Path output = dir.resolve("output");
    Process receive =
        run(command("receive", 1, "--service", SERVICE.toString()).redirectOutput(output.toFile()));
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> !receive.isAlive() || err("receive").contains("listening at"));
    long began = System.nanoTime();
    Process send =
        run(
            command(
                    "send",
                    0,
                    "--to",
                    "RE AD:1000000000000000000000000000000000000000"
                        + " HID:0000000000000000000000000000000000000001 "
                        + SERVICE)
                .redirectInput(Redirect.from(input.toFile())));

    boolean ended = send.waitFor(120, TimeUnit.SECONDS);
    assertThat(ended).as("send ends: " + err("send") + err("receive")).isTrue();
    assertThat(receive.waitFor(120, TimeUnit.SECONDS)).as("receive ends").isTrue();
    assertThat(send.exitValue()).as(err("send") + err("receive")).isZero();
    assertThat(receive.exitValue()).as(err("receive")).isZero();
    assertThat(Files.mismatch(input, output)).isEqualTo(-1);
    System.out.printf(
        "64 MiB through libXsocket: %.1f MB/s, start of the JVM included%n",
        (64 << 20) / 1e6 / ((System.nanoTime() - began) / 1e9));
  }
}
