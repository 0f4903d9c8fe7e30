package io.xmig.xia.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
import io.xmig.xia.link.LinkShape;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.UnixLink;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.ipc.IpcStack;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class NodeHostTest {
  private static final String FILE =
      """
      require(library xia_router_lib.click);
      router0 :: XIARouter2Port(RE AD0 RHID0, AD0, RHID0, 0.0.0.0, 1700,
                                02:00:00:00:01:00, 02:00:00:00:01:01);
      host0 :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:0a:00);
      host1 :: XIAEndHost(RE AD0 HID1, HID1, 1600, 1, 02:00:00:00:0b:00);
      lan :: EtherSwitch;
      host0 -> Unqueue -> lan -> host0;
      router0[0] -> LinkUnqueue(2ms, 1 GB/s) -> [1]lan[1] -> LinkUnqueue(2ms, 1 GB/s) -> [0]router0;
      host1[0] -> LinkUnqueue(3ms, 1 GB/s) -> [1]router0[1] -> LinkUnqueue(3ms, 1 GB/s) -> [0]host1;
      ControlSocket(tcp, 17777);
      """;

  /** Where an echo's sequence number is, after type, code, checksum and identifier. */
  private static final int SEQUENCE = 6;

  @TempDir Path dir;
  private final List<AutoCloseable> opened = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    Collections.reverse(opened);
    for (AutoCloseable resource : opened) {
      resource.close();
    }
    try (Stream<Path> left = Files.list(dir)) {
      assertThat(left.filter(path -> !path.toString().endsWith(".click"))).isEmpty();
    }
  }

  private NodeHost start(HostOptions options) {
    NodeHost host = NodeHost.start(Topology.parse("test.click", FILE), options);
    opened.add(host);
    return host;
  }

  private IpcStack connect(String node) {
    IpcStack stack = IpcStack.connect(dir.resolve(node + ".api"));
    opened.add(stack);
    return stack;
  }

  private static <T> T on(XiaStack stack, Callable<CompletableFuture<T>> function)
      throws Exception {
    CompletableFuture<CompletableFuture<T>> started = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () -> {
              try {
                started.complete(function.call());
              } catch (Exception e) {
                started.completeExceptionally(e);
              }
            });
    return started.get(60, TimeUnit.SECONDS).get(60, TimeUnit.SECONDS);
  }

  private static void write(XiaStack stack, String handler, String value) throws Exception {
    on(stack, () -> stack.writeHandler(handler, value));
  }

  private static final String HID0 = "HID:" + "0".repeat(40);
  private static final String HID1 = "HID:" + "0".repeat(39) + "1";
  private static final String RHID0 = "HID:11" + "0".repeat(38);
  private static final String AD0 = "AD:10" + "0".repeat(38);

  /** What registration with a gateway sets up. */
  private void setRoutes(IpcStack host0, IpcStack router, IpcStack host1) throws Exception {
    write(router, "./xrc/n/proc/rt_HID.set4", HID0 + ",0," + HID0 + ",0");
    write(router, "./xrc/n/proc/rt_HID.set4", HID1 + ",1," + HID1 + ",0");
    for (IpcStack host : List.of(host0, host1)) {
      write(host, "./xrc/n/proc/rt_AD.set", AD0 + " -2");
      write(host, "./xrc/n/proc/rt_HID.set4", "-,0," + RHID0 + ",0");
    }
  }

  /** Round trip of one echo request in milliseconds. */
  private static double ping(IpcStack from, Dag to) throws Exception {
    BlockingQueue<long[]> answers = new LinkedBlockingQueue<>(); // sequence number and time
    XcmpSocket socket =
        on(
            from,
            () ->
                from.openXcmp(
                    (source, message) ->
                        answers.add(
                            new long[] {
                              message.getShort(message.position() + SEQUENCE), System.nanoTime()
                            })));
    try {
      for (int i = 0; i < 300; i++) {
        int sequence = i;
        long sent = System.nanoTime();
        on(
            from,
            () -> {
              socket.echo(to, 1, sequence, ByteBuffer.allocate(32), 64);
              return CompletableFuture.completedFuture(0);
            });
        long[] answer = answers.poll(200, TimeUnit.MILLISECONDS);
        while (answer != null && answer[0] != sequence) { // to an earlier request, late
          answer = answers.poll(200, TimeUnit.MILLISECONDS);
        }
        if (answer != null) { // else the processes have not found each other yet
          return (answer[1] - sent) / 1e6;
        }
      }
      throw new AssertionError("no answer");
    } finally {
      on(
          from,
          () -> {
            socket.close();
            return CompletableFuture.completedFuture(0);
          });
    }
  }

  /** A busy machine answers late, and sometimes in time; nothing answers early. */
  private static void assertRoundTrip(IpcStack from, Dag to, double milliseconds) throws Exception {
    double best = Double.MAX_VALUE;
    for (int i = 0; i < 300 && (i < 8 || best > milliseconds + 4); i++) {
      best = Math.min(best, ping(from, to));
    }
    assertThat(best).isBetween(milliseconds, milliseconds + 4);
  }

  @Test
  void runsAWholeFileInOneProcessWithTheDelaysOfItsLinks() throws Exception {
    start(HostOptions.in(dir).withControl(0));
    IpcStack host0 = connect("host0");
    IpcStack host1 = connect("host1");
    setRoutes(host0, connect("router0"), host1);
    Dag to = Dag.path(Xid.parse(AD0), Xid.parse(HID1));
    assertRoundTrip(host0, to, 10);
    write(host0, "host1/link0.shape", "8ms");
    assertRoundTrip(host0, to, 15);
  }

  @Test
  void runsOneFileInThreeProcessesAndOutlivesTheRestartOfOne() throws Exception {
    start(HostOptions.in(dir).withOnly(Set.of("host0")));
    NodeHost router = start(HostOptions.in(dir).withOnly(Set.of("router0")));
    start(HostOptions.in(dir).withOnly(Set.of("host1")));
    IpcStack host0 = connect("host0");
    IpcStack host1 = connect("host1");
    IpcStack first = connect("router0");
    setRoutes(host0, first, host1);
    Dag to = Dag.path(Xid.parse(AD0), Xid.parse(HID1));
    assertRoundTrip(host0, to, 10);
    router.close();
    start(HostOptions.in(dir).withOnly(Set.of("router0")));
    setRoutes(host0, connect("router0"), host1);
    assertRoundTrip(host0, to, 10);
  }

  @Test
  void putsAnotherShapeInPlaceOfTheOnesInTheFile() throws Exception {
    start(HostOptions.in(dir).withControl(-1).withShape(LinkShape.parse("1gbit,6ms")));
    IpcStack host0 = connect("host0");
    IpcStack host1 = connect("host1");
    setRoutes(host0, connect("router0"), host1);
    assertRoundTrip(host0, Dag.path(Xid.parse(AD0), Xid.parse(HID1)), 24);
  }

  @Test
  void answersClicksControlSocket() throws Exception {
    NodeHost host = start(HostOptions.in(dir).withControl(0));
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), host.controlPort())) {
      socket.setSoTimeout(60_000);
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      assertThat(in.readLine()).isEqualTo("Click::ControlSocket/1.3");
      say(socket, "WRITE router0/xrc/n/proc/rt_AD.add AD:" + "7".repeat(40) + " 1\r\n");
      assertThat(in.readLine()).isEqualTo("200 Write handler 'router0/xrc/n/proc/rt_AD.add' OK");
      say(socket, "READ router0/xrc/n/proc/rt_AD.list\r\nREAD host0/link0.mtu\r\nQUIT\r\n");
      StringBuilder all = new StringBuilder();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        all.append(line).append('\n');
      }
      assertThat(all)
          .contains("AD:" + "7".repeat(40) + ",1,,0")
          .contains("1500")
          .contains("Goodbye");
    }
  }

  private static void say(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void aVirtualMachineThatIsExpectedHearsAHostBeforeItHasSpoken() throws Exception {
    NodeHost host = start(HostOptions.in(dir).withControl(-1));
    NodeLoop vmLoop = NodeLoop.start("vm");
    opened.add(vmLoop);
    BlockingQueue<Integer> types = new LinkedBlockingQueue<>();
    vmLoop
        .call(
            () -> {
              UnixLink link =
                  UnixLink.plugged(
                      vmLoop,
                      io.xmig.xia.link.LinkOptions.ofMtu(1500),
                      dir.resolve("vm.sock"),
                      host.plugs().get("lan"));
              link.receiver(
                  frame -> types.add((int) frame.getShort(frame.position() + 12) & 0xffff));
              vmLoop.own(link);
              return link;
            })
        .get(60, TimeUnit.SECONDS);
    IpcStack host0 = connect("host0");
    assertThatThrownBy(() -> write(host0, "lan/plug.expect", "/elsewhere/vm.sock"))
        .hasMessageContaining("beside the plug");
    write(host0, "lan/plug.expect", dir.resolve("vm.sock").toString());
    DatagramSocket socket =
        on(host0, () -> host0.openDatagram(null, (source, payload, port) -> {}));
    Dag all = Dag.path(Xid.BHID, Xid.parse("SID:" + "5".repeat(40)));
    host0.loop().execute(() -> socket.send(all, ByteBuffer.allocate(8)));
    assertThat(types.poll(60, TimeUnit.SECONDS)).isEqualTo(0xC0DE);
  }

  @Test
  void aVirtualMachineIsPluggedIntoASwitch() throws Exception {
    NodeHost host = start(HostOptions.in(dir).withControl(-1));
    NodeLoop vmLoop = NodeLoop.start("vm");
    opened.add(vmLoop);
    List<Integer> types = Collections.synchronizedList(new ArrayList<>());
    Path plug = host.plugs().get("lan");
    UnixLink vm =
        vmLoop
            .call(
                () -> {
                  UnixLink link =
                      UnixLink.plugged(
                          vmLoop,
                          io.xmig.xia.link.LinkOptions.ofMtu(1500),
                          dir.resolve("vm.sock"),
                          plug);
                  link.receiver(
                      frame -> types.add((int) frame.getShort(frame.position() + 12) & 0xffff));
                  vmLoop.own(link);
                  return link;
                })
            .get(60, TimeUnit.SECONDS);
    List<String> events = Collections.synchronizedList(new ArrayList<>());
    IpcStack host0 = connect("host0");
    on(
        host0,
        () -> {
          host0.onLinkEvent(event -> events.add(event.kind() + " " + event.port()));
          return CompletableFuture.completedFuture(0);
        });
    ByteBuffer rarp = ByteBuffer.allocate(60);
    rarp.putLong(0, 0xffff_ffff_ffff_5254L).putInt(8, 0x00123456).putShort(12, (short) 0x8035);
    rarp.putShort(14, (short) 1).putShort(16, (short) 0x800).put(18, (byte) 6).put(19, (byte) 4);
    rarp.putShort(20, (short) 3).putShort(22, (short) 0x5254).putInt(24, 0x00123456);
    await()
        .until(
            () -> {
              vmLoop.execute(() -> vm.frame(rarp.duplicate()));
              return !events.isEmpty();
            });
    assertThat(events.get(0)).isEqualTo("RARP 0");
  }

  @Test
  void namesWhatIsWrongWithTheOptionsAndLeavesNothingBehind() {
    assertThatThrownBy(() -> start(HostOptions.in(dir).withOnly(Set.of("host9"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("host9")
        .hasMessageContaining("router0");
    start(HostOptions.in(dir).withOnly(Set.of("host1")));
    assertThatThrownBy(() -> start(HostOptions.in(dir).withControl(-1)))
        .hasMessageContaining("EADDRINUSE")
        .hasMessageContaining("host1.api");
  }
}
