package io.xmig.xia.cli;

import io.xmig.xia.link.Link;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.LinkShape;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.PacketLink;
import io.xmig.xia.link.ShapedLink;
import io.xmig.xia.link.TapLink;
import io.xmig.xia.link.UnixLink;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig link}: an emulated link between two interfaces or sockets, for any protocol. */
@Command(
    name = "link",
    mixinStandardHelpOptions = true,
    description = {
      "Join two interfaces or sockets by an emulated link until told to stop.",
      "",
      "Whatever speaks Ethernet can use it, so that TCP and XIA cross the very same link. Taps are"
          + " made here and may be moved to a network namespace afterwards ('ip link set NAME netns"
          + " NS'); they go with this process.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig link tap:xa tap:xb --shape 1gbit,0.5ms --mtu 9000",
      "  xmig link tap:xa dev:eth1 --shape 100mbit,10ms,0.5%%",
      "  xmig link unix:/run/x/a.sock,/run/x/vm1.sock unix:/run/x/b.sock,/run/x/vm2.sock"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:stopped by SIGTERM or SIGINT",
      "1:an end could not be opened, or the link failed",
      "2:wrong usage"
    })
public final class LinkCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      arity = "2",
      paramLabel = "END",
      description = "tap:NAME, dev:NAME (an existing interface), or unix:LOCAL,REMOTE.")
  private List<String> ends = List.of();

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      defaultValue = "0ms",
      description = "Each way: rate,delay,loss,… as for 'xmig node'. Default: as fast as can be.")
  private String shape = "0ms";

  @Option(
      names = "--mtu",
      paramLabel = "BYTES",
      defaultValue = "1500",
      description = "MTU of taps and sockets. Default: ${DEFAULT-VALUE}.")
  private int mtu;

  @Option(names = "--seed", paramLabel = "N", description = "Makes chance the same each time.")
  private @Nullable Long seed;

  @Override
  public Integer call() throws Exception {
    CommandSpec command = Objects.requireNonNull(spec);
    NodeLoop loop = NodeLoop.start("xmig-link");
    try {
      LinkShape wanted = LinkShape.parse(shape);
      LinkOptions sizes = LinkOptions.ofMtu(mtu);
      loop.call(() -> join(loop, wanted, sizes)).get();
    } catch (ExecutionException e) {
      loop.close();
      if (e.getCause() instanceof IllegalArgumentException wrong) {
        throw new ParameterException(command.commandLine(), String.valueOf(wrong.getMessage()), e);
      }
      throw e;
    } catch (IllegalArgumentException e) {
      loop.close();
      throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
    }
    command.commandLine().getOut().println("ready");
    command.commandLine().getOut().flush();
    return UntilStopped.serve(loop, loop::close);
  }

  private Void join(NodeLoop loop, LinkShape wanted, LinkOptions sizes) {
    SplittableRandom random =
        new SplittableRandom(seed == null ? new SecureRandom().nextLong() : seed);
    Link left = open(loop, ends.get(0), sizes);
    loop.own(left);
    Link right = open(loop, ends.get(1), sizes);
    loop.own(right);
    left.receiver(new ShapedLink(loop, right, wanted, random.split()));
    right.receiver(new ShapedLink(loop, left, wanted, random.split()));
    return null;
  }

  private static Link open(NodeLoop loop, String end, LinkOptions sizes) {
    int colon = end.indexOf(':');
    String kind = colon < 0 ? "" : end.substring(0, colon);
    String name = end.substring(colon + 1);
    switch (kind) {
      case "tap":
        return TapLink.open(loop, name, sizes.mtu());
      case "dev":
        return PacketLink.bridge(loop, name);
      case "unix":
        String[] paths = name.split(",", -1);
        if (paths.length == 2 && !paths[0].isEmpty() && !paths[1].isEmpty()) {
          return UnixLink.plug(loop, sizes, Path.of(paths[0]), Path.of(paths[1]));
        }
        break;
      default:
        break;
    }
    throw new IllegalArgumentException(
        "an end is tap:NAME, dev:NAME or unix:LOCAL,REMOTE, not '" + end + "'");
  }
}
