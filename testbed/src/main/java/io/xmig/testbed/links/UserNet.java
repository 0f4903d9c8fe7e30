package io.xmig.testbed.links;

import io.xmig.xia.click.Topology;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.XiaStack;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Links in user space: datagram sockets in the directory of the run. Needs no privilege. */
public final class UserNet implements Net {
  private static final int LIMIT_SECONDS = 5;

  private final Topology topology;
  private final Path directory;
  private final List<String> hosts;
  private final List<String> lans;
  private final int mtu;
  private final @Nullable PathShape shape;

  /**
   * Links of a topology.
   *
   * @param directory for the sockets
   * @param hosts those that can run the VM
   * @param lans the switch by which a VM joins the network at each of them
   */
  public UserNet(
      Topology topology,
      Path directory,
      List<String> hosts,
      List<String> lans,
      int mtu,
      @Nullable PathShape shape) {
    this.topology = topology;
    this.directory = directory;
    this.hosts = List.copyOf(hosts);
    this.lans = List.copyOf(lans);
    this.mtu = mtu;
    this.shape = shape;
  }

  @Override
  public List<String> prefix(String node) {
    return List.of();
  }

  @Override
  public List<String> nodeOptions() {
    return List.of("--no-attachments", "--mtu", Integer.toString(mtu));
  }

  @Override
  public String nic(String host) {
    return directory.resolve("plug-" + lans.get(hosts.indexOf(host)) + ".sock").toString();
  }

  @Override
  public String plug(String host, Path local) {
    return lans.get(hosts.indexOf(host)) + "=" + local;
  }

  @Override
  public int guestMtu() {
    return mtu;
  }

  @Override
  public void nodesRun() {
    PathShape wanted = shape;
    if (wanted == null) {
      return;
    }
    for (Topology.Link link : Bottleneck.of(topology, hosts)) {
      for (Topology.End end : new Topology.End[] {link.a(), link.b()}) {
        write(
            nodeOf(end.element()),
            end.element() + "/link" + end.port() + ".shape",
            wanted.eachWayText());
      }
    }
  }

  /** The node whose process has the element: a switch goes with the host on it. */
  private String nodeOf(String element) {
    if (!Bottleneck.isSwitch(topology, element)) {
      return element;
    }
    int at = lans.indexOf(element);
    if (at < 0) {
      throw new NetException("no host on the switch", Map.of("switch", element));
    }
    return hosts.get(at);
  }

  private void write(String node, String handler, String value) {
    try (XiaStack stack = Stacks.open("node:" + directory.resolve(node + ".api"))) {
      CompletableFuture<Void> done = new CompletableFuture<>();
      stack
          .loop()
          .execute(
              () ->
                  stack
                      .writeHandler(handler, value)
                      .whenComplete(
                          (nothing, failure) -> {
                            if (failure != null) {
                              done.completeExceptionally(failure);
                            } else {
                              done.complete(null);
                            }
                          }));
      done.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new NetException(
          "cannot shape a link",
          Map.of("link", handler, "shape", value, "reason", String.valueOf(e.getMessage())),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NetException("interrupted", Map.of("link", handler), e);
    }
  }

  @Override
  public String description() {
    List<String> words = new ArrayList<>(List.of("Unix datagrams", "MTU " + mtu));
    words.add(shape == null ? "as in the topology" : shape.text() + " (round trip)");
    return String.join(", ", words);
  }

  @Override
  public void close() {
    // the sockets are the nodes', and lie in the run's directory
  }
}
