package io.xmig.xia.host;

import io.xmig.xia.link.LinkShape;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a process runs its part of a topology. Unchangeable: each {@code with…} gives other options.
 *
 * @threading from any thread
 */
public final class HostOptions {
  /** Programs linked with the prototype's library are not served. */
  public static final int NO_API_PORTS = -1;

  /** They are served on the ports that the file names. */
  public static final int API_PORTS_OF_FILE = -2;

  /** API ports as the file has them, where nobody else has them: Click may run here, too. */
  public static final int API_PORTS_IF_FREE = -3;

  /** No ControlSocket. */
  public static final int NO_CONTROL = -1;

  /** Where the file says, if the whole file runs here; else none. */
  public static final int CONTROL_OF_FILE = -2;

  /** Memory for published chunks unless told otherwise. */
  public static final long DEFAULT_CHUNK_BYTES = 40L << 20;

  private final Path directory;
  private Set<String> only = Set.of();
  private int mtu = 1500;
  private @Nullable LinkShape shape;
  private int control = CONTROL_OF_FILE;
  private boolean attachments = true;
  private boolean localApi = true;
  private RouterCache cache = RouterCache.OFF;
  private long chunkBytes = DEFAULT_CHUNK_BYTES;
  private int apiPorts = NO_API_PORTS;
  private @Nullable String devices;
  private @Nullable Long seed;

  private HostOptions(Path directory) {
    this.directory = directory;
  }

  /** Everything in the file, with sockets in this directory and an MTU of 1500. */
  public static HostOptions in(Path directory) {
    return new HostOptions(directory);
  }

  /** A copy with a change, made before anybody else sees it. */
  private HostOptions with(Consumer<HostOptions> change) {
    HostOptions copy = new HostOptions(directory);
    copy.only = only;
    copy.mtu = mtu;
    copy.shape = shape;
    copy.control = control;
    copy.attachments = attachments;
    copy.localApi = localApi;
    copy.cache = cache;
    copy.chunkBytes = chunkBytes;
    copy.apiPorts = apiPorts;
    copy.devices = devices;
    copy.seed = seed;
    change.accept(copy);
    if (copy.devices != null && copy.only.size() != 1) {
      throw new IllegalArgumentException(
          "interfaces can be the ports of one node; name it: --only NODE");
    }
    return copy;
  }

  /** Only these nodes. */
  public HostOptions withOnly(Set<String> names) {
    return with(copy -> copy.only = Set.copyOf(names));
  }

  /** Another MTU. */
  public HostOptions withMtu(int bytes) {
    return with(copy -> copy.mtu = bytes);
  }

  /** Another shape for the links that the file shapes, {@code null} for the file's. */
  public HostOptions withShape(@Nullable LinkShape other) {
    return with(copy -> copy.shape = other);
  }

  /**
   * Another port of the ControlSocket: 0 for any, {@link #NO_CONTROL} or {@link #CONTROL_OF_FILE}.
   */
  public HostOptions withControl(int port) {
    return with(copy -> copy.control = port);
  }

  /** With or without what the file attaches. */
  public HostOptions withAttachments(boolean open) {
    return with(copy -> copy.attachments = open);
  }

  /** With or without the local API. */
  public HostOptions withLocalApi(boolean offered) {
    return with(copy -> copy.localApi = offered);
  }

  /** With a cache of passing content in routers. */
  public HostOptions withCache(RouterCache kept) {
    return with(copy -> copy.cache = kept);
  }

  /** With other memory for published chunks. */
  public HostOptions withChunkMemory(long bytes) {
    return with(copy -> copy.chunkBytes = bytes);
  }

  /**
   * With programs linked with the prototype's library served: on consecutive ports from this one
   * on, a port per node in the order of the file; 0 for any free ones, {@link #NO_API_PORTS} {@link
   * #API_PORTS_OF_FILE} or {@link #API_PORTS_IF_FREE}.
   */
  public HostOptions withApiPorts(int ports) {
    return with(copy -> copy.apiPorts = ports);
  }

  /**
   * With interfaces of this machine as the ports of the one node that runs here.
   *
   * @param prefix first part of their names, e.g. {@code eth} for {@code eth0}, {@code eth1} …
   * @throws IllegalArgumentException unless {@link #withOnly} has named exactly one node before
   */
  public HostOptions withDevices(@Nullable String prefix) {
    return with(copy -> copy.devices = prefix);
  }

  /** The same chance each time. */
  public HostOptions withSeed(long value) {
    return with(copy -> copy.seed = value);
  }

  /** Names of the nodes that run here, empty for all; switches go with their nodes. */
  public Set<String> only() {
    return only;
  }

  /**
   * Where sockets are made: local API, links to other processes, plugs for VMs; at most about 70
   * bytes long, since socket paths are limited.
   */
  public Path directory() {
    return directory;
  }

  /** MTU of every link, the Ethernet header not counted. */
  public int mtu() {
    return mtu;
  }

  /** In place of the one in the file, for every link that the file shapes. */
  public @Nullable LinkShape shape() {
    return shape;
  }

  /** TCP port of Click's ControlSocket on the loopback, as {@link #withControl} has it. */
  public int control() {
    return control;
  }

  /** Whether the UDP sockets and devices that the file attaches are opened. */
  public boolean attachments() {
    return attachments;
  }

  /** Whether nodes offer their sockets to other processes. */
  public boolean localApi() {
    return localApi;
  }

  /** What routers keep of the content that passes. */
  public RouterCache cache() {
    return cache;
  }

  /** Memory for chunks published on a node. */
  public long chunkBytes() {
    return chunkBytes;
  }

  /** UDP ports for programs linked with the prototype's library, as {@link #withApiPorts} says. */
  public int apiPorts() {
    return apiPorts;
  }

  /** First part of the names of the interfaces that are ports, {@code null} for the file's. */
  public @Nullable String devices() {
    return devices;
  }

  /** Seed of jitter, loss and identifiers; {@code null} for a new one each time. */
  public @Nullable Long seed() {
    return seed;
  }
}
