package io.xmig.xia.host;

import io.xmig.xia.link.LinkShape;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a process runs its part of a topology.
 *
 * @param only names of the nodes that run here, empty for all; switches go with their nodes
 * @param directory where sockets are made: local API, links to other processes, plugs for VMs; at
 *     most about 70 bytes long, since socket paths are limited
 * @param mtu of every link, the Ethernet header not counted
 * @param shape in place of the one in the file, for every link that the file shapes; {@code null}
 *     to leave them
 * @param control TCP port of Click's ControlSocket on the loopback, 0 for any, {@link #NO_CONTROL},
 *     or {@link #CONTROL_OF_FILE}
 * @param attachments whether the UDP sockets and devices that the file attaches are opened
 * @param localApi whether nodes offer their sockets to other processes
 * @param cacheBytes what routers keep of the content that passes, 0 for none
 * @param chunkBytes memory for chunks published on a node
 * @param apiPorts UDP ports on which programs linked with the prototype's library are served: the
 *     first of consecutive ones, a port per node in the order of the file, 0 for any free ones,
 *     {@link #NO_API_PORTS} or {@link #API_PORTS_OF_FILE}
 * @param devices first part of the names of this machine's network interfaces that are the ports of
 *     the one node that runs here, e.g. {@code eth} for {@code eth0}, {@code eth1} …, instead of
 *     what the file joins them to; {@code null} for the file's
 * @param seed of jitter, loss and identifiers; {@code null} for a new one each time
 */
public record HostOptions(
    Set<String> only,
    Path directory,
    int mtu,
    @Nullable LinkShape shape,
    int control,
    boolean attachments,
    boolean localApi,
    long cacheBytes,
    long chunkBytes,
    int apiPorts,
    @Nullable String devices,
    @Nullable Long seed) {
  /** Programs linked with the prototype's library are not served. */
  public static final int NO_API_PORTS = -1;

  /** They are served on the ports that the file names. */
  public static final int API_PORTS_OF_FILE = -2;

  /** No ControlSocket. */
  public static final int NO_CONTROL = -1;

  /** Where the file says, if the whole file runs here; else none. */
  public static final int CONTROL_OF_FILE = -2;

  /** Memory for published chunks unless told otherwise. */
  public static final long DEFAULT_CHUNK_BYTES = 40L << 20;

  public HostOptions {
    only = Set.copyOf(only);
    if (devices != null && only.size() != 1) {
      throw new IllegalArgumentException(
          "interfaces can be the ports of one node; name it: --only NODE");
    }
  }

  /** Everything in the file, with sockets in this directory and an MTU of 1500. */
  public static HostOptions in(Path directory) {
    return new HostOptions(
        Set.of(),
        directory,
        1500,
        null,
        CONTROL_OF_FILE,
        true,
        true,
        0,
        DEFAULT_CHUNK_BYTES,
        NO_API_PORTS,
        null,
        null);
  }

  /** Only these nodes. */
  public HostOptions withOnly(Set<String> names) {
    return new HostOptions(
        names,
        directory,
        mtu,
        shape,
        control,
        attachments,
        localApi,
        cacheBytes,
        chunkBytes,
        apiPorts,
        devices,
        seed);
  }

  /** Another MTU. */
  public HostOptions withMtu(int bytes) {
    return new HostOptions(
        only,
        directory,
        bytes,
        shape,
        control,
        attachments,
        localApi,
        cacheBytes,
        chunkBytes,
        apiPorts,
        devices,
        seed);
  }

  /** Another shape for the links that the file shapes. */
  public HostOptions withShape(@Nullable LinkShape other) {
    return new HostOptions(
        only,
        directory,
        mtu,
        other,
        control,
        attachments,
        localApi,
        cacheBytes,
        chunkBytes,
        apiPorts,
        devices,
        seed);
  }

  /** Another port of the ControlSocket. */
  public HostOptions withControl(int port) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        port,
        attachments,
        localApi,
        cacheBytes,
        chunkBytes,
        apiPorts,
        devices,
        seed);
  }

  /** With or without what the file attaches. */
  public HostOptions withAttachments(boolean open) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        control,
        open,
        localApi,
        cacheBytes,
        chunkBytes,
        apiPorts,
        devices,
        seed);
  }

  /** With or without the local API. */
  public HostOptions withLocalApi(boolean offered) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        control,
        attachments,
        offered,
        cacheBytes,
        chunkBytes,
        apiPorts,
        devices,
        seed);
  }

  /** With a cache of passing content in routers. */
  public HostOptions withCache(long bytes) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        control,
        attachments,
        localApi,
        bytes,
        chunkBytes,
        apiPorts,
        devices,
        seed);
  }

  /** With other memory for published chunks. */
  public HostOptions withChunkMemory(long bytes) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        control,
        attachments,
        localApi,
        cacheBytes,
        bytes,
        apiPorts,
        devices,
        seed);
  }

  /** With programs linked with the prototype's library served on these ports. */
  public HostOptions withApiPorts(int ports) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        control,
        attachments,
        localApi,
        cacheBytes,
        chunkBytes,
        ports,
        devices,
        seed);
  }

  /** With interfaces of this machine as the ports of the one node that runs here. */
  public HostOptions withDevices(@Nullable String prefix) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        control,
        attachments,
        localApi,
        cacheBytes,
        chunkBytes,
        apiPorts,
        prefix,
        seed);
  }

  /** The same chance each time. */
  public HostOptions withSeed(long value) {
    return new HostOptions(
        only,
        directory,
        mtu,
        shape,
        control,
        attachments,
        localApi,
        cacheBytes,
        chunkBytes,
        apiPorts,
        devices,
        value);
  }
}
