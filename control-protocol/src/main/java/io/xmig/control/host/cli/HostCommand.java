package io.xmig.control.host.cli;

import io.xmig.control.host.HostConfig;
import io.xmig.control.host.HostServer;
import io.xmig.control.host.PeerTrust;
import io.xmig.control.host.Pipes;
import io.xmig.control.host.VmHost;
import io.xmig.control.host.XiaHandoffTransport;
import io.xmig.control.host.XmigPipes;
import io.xmig.control.qemu.AcceleratorProbe;
import io.xmig.control.resident.ResidentProcess;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.KeyFiles;
import io.xmig.xia.key.Signer;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xmig host}: the service that runs a host's VMs. */
@Command(
    name = "host",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Run this host's virtual machines and move them to and from other hosts.",
      "",
      "Commands reach it on its socket (xmig vm, xmig migrate), other host services over XIA."
          + " Stopped by SIGTERM it cancels what is under way and ends its VMs; killed, it leaves"
          + " them running for the next one of the same --state."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:stopped by a signal", "1:could not start", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig key new /etc/xmig    (prints HID:… and the file's name)",
      "  xmig host --key /etc/xmig/0b3a… --accept-from HID:77c1…,HID:e05d…",
      "  xmig host --accept-unsigned --xia node:/run/xmig/b.api --state /run/xmig/b --nic"
          + " /run/xmig/b.vm",
      "  xmig host --tls-port 7070 --tls-cert host.pem --tls-key host.key --tls-ca ca.pem"
    })
public final class HostCommand implements Callable<Integer> {
  /** How long the pipes of a service that is gone wait for the next one. */
  private static final Duration PIPES_IDLE = Duration.ofSeconds(60);

  @Spec private CommandSpec spec;

  @Mixin private StackOption xia = new StackOption();

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description =
          "VMs and the hand-off journal; on a real disk, and short, for sockets are in it."
              + " Default: ~/.local/state/xmig.")
  private @Nullable Path state;

  @Option(
      names = "--images",
      paramLabel = "DIR",
      description =
          "Kernels and initial file systems of arriving VMs must be in it."
              + " Default: $XMIG_CACHE, else ~/.cache/xmig.")
  private @Nullable Path images;

  @Option(
      names = "--service",
      paramLabel = "SID_OR_NAME",
      defaultValue = HostAddress.DEFAULT_SERVICE,
      description = "Where other host services find this one. Default: ${DEFAULT-VALUE}.")
  private String service = HostAddress.DEFAULT_SERVICE;

  @Option(
      names = "--nic",
      paramLabel = "SOCKET|tap:DEVICE",
      description =
          "What network cards of VMs are attached to unless said otherwise: a Unix-domain datagram"
              + " socket that takes their frames, or a TAP device.")
  private @Nullable String nic;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "Private key made by 'xmig key new': other host services know this one by its hash, and"
              + " everything said to them is signed.")
  private @Nullable Path identity;

  @Option(
      names = "--accept-from",
      paramLabel = "HID",
      split = ",",
      description =
          "Exchange VMs with the host whose key has this hash; repeatable. One that is dialled by an"
              + " address with the hash of its key in it needs not be named.")
  private List<String> acceptFrom = new ArrayList<>();

  @Option(
      names = "--accept-unsigned",
      description =
          "Exchange VMs with whoever asks, key or not: on a network where nobody else can.")
  private boolean acceptUnsigned;

  @Option(
      names = "--keep-vms",
      description = "Leave VMs running on SIGTERM too; the next service of --state gets them.")
  private boolean keepVms;

  @Option(
      names = "--exec-pipes",
      description =
          "Start new processes for each migration instead of keeping 'xmig pipes' running.")
  private boolean execPipes;

  @Option(
      names = "--pipes",
      paramLabel = "PATH",
      description =
          "Use the pipes that listen on this control socket, e.g. those of a node run with --with"
              + " 'NODE=pipes --socket PATH', instead of keeping others running.")
  private @Nullable Path pipes;

  @Option(names = "--tls-port", paramLabel = "PORT", description = "Serve clients over TCP too.")
  private @Nullable Integer tlsPort;

  @Option(names = "--tls-cert", paramLabel = "PEM", description = "Certificate for that.")
  private @Nullable Path certificate;

  @Option(names = "--tls-key", paramLabel = "PEM", description = "Its key.")
  private @Nullable Path key;

  @Option(names = "--tls-ca", paramLabel = "PEM", description = "Who signs clients' certificates.")
  private @Nullable Path authorities;

  static Path defaultState() {
    return Path.of(System.getProperty("user.home"), ".local", "state", "xmig");
  }

  private static Path defaultImages() {
    String cache = System.getenv("XMIG_CACHE");
    return cache == null || cache.isEmpty()
        ? Path.of(System.getProperty("user.home"), ".cache", "xmig")
        : Path.of(cache);
  }

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Path directory = (state == null ? defaultState() : state).toAbsolutePath();
    HostServer.Tls tls = tls();
    PeerTrust trust = trust();
    if (execPipes && pipes != null) {
      throw new ParameterException(
          spec.commandLine(), "--exec-pipes and --pipes exclude each other");
    }
    CountDownLatch stopped = new CountDownLatch(1);
    try {
      Files.createDirectories(directory);
      Path imageDirectory = images == null ? defaultImages() : images;
      Files.createDirectories(imageDirectory);
      AcceleratorProbe.Decision accelerator =
          new AcceleratorProbe(defaultImages()).decide(null, null, "", "");
      boolean tap = nic != null && nic.startsWith("tap:");
      HostConfig config =
          new HostConfig(
              directory,
              imageDirectory,
              nic == null || tap ? null : Path.of(nic).toAbsolutePath(),
              tap ? nic.substring("tap:".length()) : null,
              accelerator);
      XiaStack stack = xia.open();
      XiaHandoffTransport transport =
          new XiaHandoffTransport(
              stack,
              HostAddress.service(service),
              peer -> HostAddress.resolve(stack, peer),
              trust,
              new SecureRandom());
      ResidentProcess resident = execPipes || pipes != null ? null : resident(directory);
      VmHost host = new VmHost(config, transport, pipes(stack, directory));
      if (resident != null) {
        resident.start();
      }
      HostServer server = new HostServer(host, directory.resolve("host.sock"), tls);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    server.close();
                    if (!keepVms) {
                      host.stopAll();
                    }
                    host.close();
                    if (resident != null && keepVms) {
                      resident.leave();
                    } else if (resident != null) {
                      resident.close();
                    }
                    stopped.countDown();
                  },
                  "stop-host"));
      out.printf(
          "host service ready: socket %s, %s (%s), %s%s%n",
          directory.resolve("host.sock"),
          accelerator.accelerator(),
          accelerator.reason(),
          trust.signer() == null ? "unsigned" : "key " + trust.signer().identity().hid(),
          tls == null ? "" : ", TCP port " + server.port());
      out.flush();
    } catch (IOException | XiaException | IllegalArgumentException e) {
      err.println("xmig host: " + e.getMessage());
      return 1;
    }
    stopped.await();
    return 0;
  }

  private PeerTrust trust() {
    if (identity == null && !acceptUnsigned) {
      throw new ParameterException(
          spec.commandLine(),
          "without --key no other host can know this one; make a key with 'xmig key new DIR', or"
              + " say --accept-unsigned if anybody may hand VMs over");
    }
    Set<Xid> accepted = new HashSet<>();
    for (String text : acceptFrom) {
      try {
        Xid hid = Xid.parse(text);
        if (!hid.is(XidType.HID)) {
          throw new DagParseException("expected a HID", text, 0);
        }
        accepted.add(hid);
      } catch (DagParseException e) {
        throw new ParameterException(spec.commandLine(), "--accept-from: " + e.getMessage(), e);
      }
    }
    return new PeerTrust(signer(), new Ed25519(), accepted, acceptUnsigned);
  }

  private @Nullable Signer signer() {
    try {
      return identity == null ? null : KeyFiles.load(identity);
    } catch (IOException e) {
      throw new ParameterException(
          spec.commandLine(),
          "--key: cannot read " + e.getMessage() + "; make one with 'xmig key new DIR'",
          e);
    } catch (XiaException e) {
      throw new ParameterException(spec.commandLine(), "--key: " + e.getMessage(), e);
    }
  }

  private HostServer.@Nullable Tls tls() {
    if (tlsPort == null) {
      return null;
    }
    if (certificate == null || key == null || authorities == null) {
      throw new ParameterException(
          spec.commandLine(), "--tls-port needs --tls-cert, --tls-key and --tls-ca");
    }
    return new HostServer.Tls(tlsPort, certificate, key, authorities);
  }

  private static String launcher() {
    return System.getProperty("xmig.launcher", "xmig");
  }

  private Path pipesSocket(Path directory) {
    return pipes == null ? directory.resolve("pipes.sock") : pipes.toAbsolutePath();
  }

  private ResidentProcess resident(Path directory) {
    String stackText = xia.spec();
    return new ResidentProcess(
        List.of(launcher()),
        pipesSocket(directory),
        directory.resolve("pipes.log"),
        stackText == null ? "" : stackText,
        PIPES_IDLE);
  }

  private Pipes pipes(XiaStack stack, Path directory) {
    String stackText = xia.spec();
    List<String> common = stackText == null ? List.of() : List.of("--xia", stackText);
    XmigPipes processes =
        new XmigPipes(
            List.of(launcher()), common, sid -> stack.localAddress().service(sid).toString());
    return execPipes ? processes : processes.preferablyResident(pipesSocket(directory));
  }
}
