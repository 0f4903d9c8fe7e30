package io.xmig.xia.link;

import io.xmig.xia.link.posix.MessageBatch;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.SocketAddress;
import io.xmig.xia.link.posix.Sockets;
import java.net.Inet4Address;
import java.nio.ByteBuffer;

/**
 * A link of UDP datagrams over IPv4, one frame each, as Click's {@code Socket("UDP", …)} elements
 * and QEMU's {@code dgram} netdev speak. No back-pressure: a slow receiver loses frames.
 *
 * <p>Frames are taken from any port of the peer's address only: Click sends from another port than
 * it receives on.
 */
public final class UdpLink extends SocketLink {
  /** Largest MTU: a UDP datagram over IPv4 carries 65,507 bytes. */
  public static final int MAX_UDP_MTU = 65_507 - ETHERNET_HEADER_LENGTH;

  private static final int SOCKET_BUFFER_BYTES = 4 << 20;

  private final int peerAddress;
  private final int localPort;

  private UdpLink(
      NodeLoop loop,
      String name,
      LinkOptions options,
      Socket socket,
      Inet4Address peer,
      int peerPort) {
    super(loop, name, options, socket, socket, true, false);
    this.peerAddress = ByteBuffer.wrap(peer.getAddress()).getInt();
    this.localPort = socket.localPort();
    sendTo(SocketAddress.inet(peer, peerPort));
  }

  /**
   * Opens one end.
   *
   * @param local address to listen on, 0.0.0.0 for all
   * @param localPort 0 for any, see {@link #localPort}
   */
  public static UdpLink open(
      NodeLoop loop,
      String name,
      LinkOptions options,
      Inet4Address local,
      int localPort,
      Inet4Address peer,
      int peerPort) {
    if (options.mtu() > MAX_UDP_MTU) {
      throw new IllegalArgumentException(
          "the MTU of a UDP link is at most " + MAX_UDP_MTU + ", not " + options.mtu());
    }
    Socket socket = Sockets.udp();
    try {
      socket.buffers(SOCKET_BUFFER_BYTES, SOCKET_BUFFER_BYTES);
      socket.bind(SocketAddress.inet(local, localPort));
      return new UdpLink(loop, name, options, socket, peer, peerPort);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** The port this end listens on. */
  public int localPort() {
    return localPort;
  }

  @Override
  boolean accepts(MessageBatch batch, int i) {
    return batch.senderIpv4(i) == peerAddress;
  }
}
