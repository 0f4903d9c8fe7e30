package io.xmig.xia.testkit;

import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.XiaNode;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * A network of real nodes in virtual time: seeded, so that the same seed gives the same run to the
 * last bit ({@link #digest}). With {@code -Dxmig.trace=FILE} every frame and its fate are appended
 * to FILE.
 *
 * <pre>
 * SimNetwork net = new SimNetwork(seed);
 * TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(5).withLoss(0.01));
 * DatagramSocket socket = net.await(net.stack(at.host0()).openDatagram(sid, handler));
 * net.run(Duration.ofSeconds(1));
 * </pre>
 *
 * @threading one thread
 */
public final class SimNetwork {
  /** How long {@link #await(CompletableFuture)} waits. */
  public static final Duration DEFAULT_LIMIT = Duration.ofMinutes(5);

  private final long seed;
  private final VirtualLoop loop = new VirtualLoop();
  private final SplittableRandom random;
  private final Map<XiaNode, SimStation> stations = new HashMap<>();
  private final List<SimLink> links = new ArrayList<>();
  private final List<FrameTap> taps = new ArrayList<>();
  private final CRC32C crc = new CRC32C();
  private Consumer<String> trace = line -> {};
  private boolean tracing;
  private long digest;

  /** Sees every frame that a station sends, before the link decides about it. */
  @FunctionalInterface
  public interface FrameTap {
    /**
     * @param frame position to limit; valid during the call and not to be changed
     */
    void frame(SimLink link, SimStation from, ByteBuffer frame);
  }

  /** An empty network. */
  public SimNetwork(long seed) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.digest = seed;
    String file = System.getProperty("xmig.trace", "").trim();
    if (!file.isEmpty()) {
      traceTo(Path.of(file));
    }
  }

  private void traceTo(Path file) {
    try {
      PrintStream out =
          new PrintStream(
              Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND),
              true,
              StandardCharsets.UTF_8);
      out.println("seed " + seed);
      trace(out::println);
    } catch (IOException e) {
      throw new UncheckedIOException("xmig.trace", e);
    }
  }

  /** The seed of this run, for messages. */
  public long seed() {
    return seed;
  }

  /** The clock of all nodes. */
  public VirtualLoop loop() {
    return loop;
  }

  /** A generator of its own, seeded by this network's seed and the calls made so far. */
  public SplittableRandom newRandom() {
    return random.split();
  }

  /** Adds a node. */
  public XiaNode add(NodeConfig config) {
    XiaNode node = new XiaNode(config, loop, newRandom());
    stations.put(node, SimStation.of(node));
    return node;
  }

  /** Adds a switch. */
  public SimSwitch addSwitch(String name, int ports) {
    return new SimSwitch(name, ports);
  }

  /** A new Xsocket stack on a node. */
  public NodeStack stack(XiaNode node) {
    return new NodeStack(node);
  }

  /** The station of a node, to plug links into. */
  public SimStation station(XiaNode node) {
    SimStation station = stations.get(node);
    if (station == null) {
      throw new IllegalArgumentException(node.name() + " is not of this network");
    }
    return station;
  }

  /** Links two nodes. */
  public SimLink link(XiaNode a, int portA, XiaNode b, int portB, LinkProfile profile) {
    return link(station(a), portA, station(b), portB, profile);
  }

  /** Links two stations. */
  public SimLink link(SimStation a, int portA, SimStation b, int portB, LinkProfile profile) {
    SimLink link = new SimLink(this, links.size(), random.split(), profile, a, portA, b, portB);
    links.add(link);
    return link;
  }

  /** All links ever made, in order. */
  public List<SimLink> links() {
    return List.copyOf(links);
  }

  /** Lets time pass. */
  public void run(Duration time) {
    loop.run(time);
  }

  /**
   * Lets time pass until {@code condition} holds, at most {@code limit}.
   *
   * @return whether it holds
   */
  public boolean runUntil(BooleanSupplier condition, Duration limit) {
    return loop.runUntil(condition, limit);
  }

  /** {@link #await(CompletableFuture, Duration)} with {@link #DEFAULT_LIMIT}. */
  public <T> T await(CompletableFuture<T> future) {
    return await(future, DEFAULT_LIMIT);
  }

  /**
   * Lets time pass until the future is done and gives its value, or throws what it failed with.
   *
   * @throws AssertionError if it is not done after {@code limit}
   */
  public <T> T await(CompletableFuture<T> future, Duration limit) {
    if (!runUntil(future::isDone, limit)) {
      throw new AssertionError("nothing after " + limit + " of virtual time, seed " + seed);
    }
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Shows every frame sent from now on. */
  public void tap(FrameTap tap) {
    taps.add(tap);
  }

  /** Writes a line for every frame and its fate from now on, to find out what a seed does. */
  public void trace(Consumer<String> lines) {
    trace = lines;
    tracing = true;
  }

  /**
   * A number that depends on every frame, its fate and its time so far: equal for two runs that did
   * the same.
   */
  public long digest() {
    return digest;
  }

  void observe(SimLink link, int side, ByteBuffer frame) {
    for (FrameTap tap : taps) {
      tap.frame(link, link.station(side), frame);
    }
  }

  void record(SimLink link, int side, SimLink.Fate fate, ByteBuffer frame) {
    crc.reset();
    int position = frame.position();
    crc.update(frame);
    frame.position(position);
    mix(loop.nanoTime());
    mix((long) link.id() << 40 | (long) side << 36 | (long) fate.ordinal() << 32 | crc.getValue());
    if (tracing) {
      trace.accept(
          String.format(
              "%12.6f %s %s %s %s",
              loop.nanoTime() / 1e9, link, side == 0 ? ">" : "<", fate, FrameText.describe(frame)));
    }
  }

  private void mix(long value) {
    long h = (digest ^ value) * 0x9E3779B97F4A7C15L;
    digest = h ^ h >>> 29;
  }
}
