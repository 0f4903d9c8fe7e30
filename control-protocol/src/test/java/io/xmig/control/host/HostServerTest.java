package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.xmig.control.host.v1.CancelRequest;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.ListRequest;
import io.xmig.control.host.v1.MigrateRequest;
import io.xmig.control.host.v1.Prepare;
import io.xmig.control.host.v1.StartVmRequest;
import io.xmig.control.host.v1.StopRequest;
import io.xmig.control.host.v1.VmDescription;
import io.xmig.control.qemu.Accelerator;
import io.xmig.control.qemu.AcceleratorProbe;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.PipeCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The service and its client, without any QEMU. */
@Timeout(300)
class HostServerTest {
  @TempDir Path directory;
  private final FakeTransport transport = new FakeTransport();
  private VmHost host;
  private HostServer server;
  private HostClient client;

  /** Hands the test what the service accepts. */
  private static final class FakeTransport implements HandoffTransport {
    private Acceptor acceptor;
    private final BlockingQueue<HandoffMessage> sent = new LinkedBlockingQueue<>();
    private boolean linkClosed;

    @Override
    public Link open(String peer, Listener listener) {
      return link();
    }

    Link link() {
      return new Link() {
        @Override
        public void send(HandoffMessage message) {
          sent.add(message);
        }

        @Override
        public void reset() {
          linkClosed = true;
        }

        @Override
        public void close() {
          linkClosed = true;
        }
      };
    }

    @Override
    public void accept(Acceptor newAcceptor) {
      acceptor = newAcceptor;
    }

    @Override
    public void close() {
      acceptor = null;
    }
  }

  private static final class NoPipes implements Pipes {
    @Override
    public String address(String handoff) {
      return "nowhere";
    }

    @Override
    public MigrationPipe receiver(Path vm, String handoff) {
      return PipeCommand.in(vm, "r", List.of("false"));
    }

    @Override
    public MigrationPipe sender(
        Path vm, String handoff, String address, MigrationSettings settings) {
      return PipeCommand.in(vm, "s", List.of("false"));
    }
  }

  @BeforeEach
  void start() throws IOException {
    HostConfig config =
        new HostConfig(
            directory,
            directory,
            null,
            null,
            new AcceleratorProbe.Decision(Accelerator.TCG, "test"));
    host = new VmHost(config, transport, new NoPipes());
    server = new HostServer(host, directory.resolve("s"), null);
    client = HostClient.onSocket(directory.resolve("s"));
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
    host.close();
  }

  private static void assertRefused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, Status.Code code, String words) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(code);
              assertThat(e.getStatus().getDescription()).contains(words);
            });
  }

  @Test
  void aSecondServiceKeepsOffTheStateOfTheFirst() {
    assertThatThrownBy(() -> new VmHost(host.config(), new FakeTransport(), new NoPipes()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another host service uses " + directory);
  }

  @Test
  void refusesWithTheReason() {
    assertThat(client.calls().list(ListRequest.getDefaultInstance()).getVmsList()).isEmpty();
    assertRefused(
        () -> client.calls().stop(StopRequest.newBuilder().setName("x").build()),
        Status.Code.NOT_FOUND,
        "no such VM here {");
    assertRefused(
        () -> client.calls().migrate(MigrateRequest.newBuilder().setName("x").build()),
        Status.Code.INVALID_ARGUMENT,
        "no destination");
    assertRefused(
        () -> client.calls().cancel(CancelRequest.newBuilder().setMigration("x").build()),
        Status.Code.NOT_FOUND,
        "no such migration");
    assertRefused(
        () -> client.calls().startVm(StartVmRequest.newBuilder().setName("../x").build()),
        Status.Code.INVALID_ARGUMENT,
        "VM name must be");
    assertRefused(
        () -> client.watch("x").hasNext(), Status.Code.NOT_FOUND, "no such migration from or to");
  }

  @Test
  void onlyTheOwnerMayOpenTheSocketAndASecondServiceIsRefused() throws IOException {
    assertThat(Files.getPosixFilePermissions(directory.resolve("s")))
        .extracting(Enum::name)
        .containsExactlyInAnyOrder("OWNER_READ", "OWNER_WRITE");
    assertThatThrownBy(() -> new HostServer(host, directory.resolve("s"), null))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another host service");
  }

  @Test
  void refusesAVmThatDoesNotFitThisHost() throws Exception {
    HandoffTransport.Listener peer = transport.acceptor.accept(transport.link());
    VmDescription vm =
        VmDescription.newBuilder()
            .setName("vm")
            .setMemoryMib(640)
            .setKernel("/etc/hostname")
            .setInitrd("/etc/hostname")
            .setAccelerator("TCG")
            .build();

    peer.received(prepare("1", vm));
    assertThat(next().getRefused().getReason()).contains("outside this host's image directory");
    peer.received(prepare("2", vm.toBuilder().setAccelerator("KVM").build()));
    assertThat(next().getRefused().getReason()).contains("same accelerator");
    peer.received(prepare("3", vm.toBuilder().setName("../../etc").build()));
    assertThat(next().getRefused().getReason()).contains("not a name");
    peer.received(prepare("4", vm.toBuilder().setKernel("/no/such").build()));
    assertThat(next().getRefused().getReason()).contains("not on this host");
  }

  @Test
  void answersTruthfullyAboutHandoffsItDoesNotKnow() throws Exception {
    HandoffTransport.Listener peer = transport.acceptor.accept(transport.link());

    peer.received(
        HandoffMessage.newBuilder()
            .setHandoff("7")
            .setCommit(io.xmig.control.host.v1.Commit.getDefaultInstance())
            .build());
    assertThat(next().hasAborted()).isTrue();
    peer.received(HandoffMessage.newBuilder().setHandoff("../../x").build());
    assertThat(transport.linkClosed).isTrue();
  }

  private HandoffMessage next() throws InterruptedException {
    HandoffMessage message = transport.sent.poll(60, TimeUnit.SECONDS);
    assertThat(message).isNotNull();
    return message;
  }

  private static HandoffMessage prepare(String id, VmDescription vm) {
    return HandoffMessage.newBuilder()
        .setHandoff(id)
        .setPrepare(Prepare.newBuilder().setVm(vm))
        .build();
  }

  @Test
  void overTcpBothSidesNeedACertificate() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/openssl")), "openssl is not installed");
    Path ca = certificate("ca", null);
    Path ours = certificate("server", ca);
    Path theirs = certificate("client", ca);
    Path stranger = certificate("stranger", null);
    try (HostServer secure =
        new HostServer(
            host, null, new HostServer.Tls(0, ours, directory.resolve("server.key"), ca))) {
      String target = "localhost:" + secure.port();
      try (HostClient known =
          HostClient.overTls(target, theirs, directory.resolve("client.key"), ca)) {
        assertThat(known.calls().list(ListRequest.getDefaultInstance()).getVmsList()).isEmpty();
      }
      try (HostClient unknown =
          HostClient.overTls(target, stranger, directory.resolve("stranger.key"), ca)) {
        assertThatThrownBy(() -> unknown.calls().list(ListRequest.getDefaultInstance()))
            .isInstanceOfSatisfying(
                StatusRuntimeException.class,
                e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
      }
    }
  }

  private Path certificate(String name, Path issuer) throws Exception {
    Path file = directory.resolve(name + ".pem");
    StringBuilder command =
        new StringBuilder(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
                + " -subj /CN="
                + name
                + " -keyout "
                + name
                + ".key -out "
                + name
                + ".pem");
    if (issuer != null) {
      command.append(" -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost");
      command.append(" -addext basicConstraints=critical,CA:FALSE");
    }
    Process process =
        new ProcessBuilder("/bin/sh", "-c", command.toString())
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String output =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return file;
  }
}
