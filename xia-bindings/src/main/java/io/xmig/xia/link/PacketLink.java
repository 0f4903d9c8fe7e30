package io.xmig.xia.link;

import io.xmig.xia.link.posix.MessageBatch;
import io.xmig.xia.link.posix.NetDevice;
import io.xmig.xia.link.posix.Sockets;

/**
 * A network interface of this machine as a link (AF_PACKET): real networks, veth pairs, the NIC of
 * a guest. Only XIA frames and RARP are taken; the kernel filters the rest. Needs CAP_NET_RAW.
 *
 * <p>The node may use another Ethernet address than the interface, which then listens to every
 * address.
 */
public final class PacketLink extends SocketLink {
  /** Ethernet types that a node is interested in: XIP, XARP, RARP. */
  private static final int[] ETHER_TYPES = {0xC0DE, 0x9990, 0x8035};

  private static final int SOCKET_BUFFER_BYTES = 4 << 20;

  private final NetDevice device;

  private PacketLink(
      NodeLoop loop, NetDevice device, LinkOptions options, io.xmig.xia.link.posix.Socket socket) {
    super(loop, device.name(), options, socket, socket, true, true);
    this.device = device;
  }

  /**
   * Opens an interface with its own MTU.
   *
   * @param interfaceName e.g. {@code eth0}
   * @param promiscuous whether frames to other Ethernet addresses are wanted
   * @throws io.xmig.xia.link.posix.PosixException if it does not exist or is not allowed
   */
  public static PacketLink open(NodeLoop loop, String interfaceName, boolean promiscuous) {
    return open(loop, interfaceName, promiscuous, ETHER_TYPES);
  }

  /** Opens an interface for frames of every type and to every address, as a bridge does. */
  public static PacketLink bridge(NodeLoop loop, String interfaceName) {
    return open(loop, interfaceName, true, new int[0]);
  }

  private static PacketLink open(
      NodeLoop loop, String interfaceName, boolean promiscuous, int[] etherTypes) {
    NetDevice device = NetDevice.named(interfaceName);
    int mtu = Math.max(MIN_MTU, Math.min(MAX_MTU, device.mtu()));
    io.xmig.xia.link.posix.Socket socket = Sockets.packet(device, etherTypes, promiscuous);
    try {
      socket.buffers(SOCKET_BUFFER_BYTES, SOCKET_BUFFER_BYTES);
      return new PacketLink(loop, device, LinkOptions.ofMtu(mtu), socket);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** The interface. */
  public NetDevice device() {
    return device;
  }

  @Override
  boolean accepts(MessageBatch batch, int i) {
    return !batch.isOutgoing(i);
  }
}
