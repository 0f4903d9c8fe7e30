package io.xmig.xia.link.posix;

/** Opens sockets: non-blocking, closed on exec. */
public final class Sockets {
  static final int NONBLOCK = 0x800;

  private static final int CLOSE_ON_EXEC = 0x80000;
  private static final int FLAGS = NONBLOCK | CLOSE_ON_EXEC;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_RAW = 3;
  private static final int NETLINK_ROUTE = 0;
  private static final int RTMGRP_LINK = 1;
  private static final int SOL_PACKET = 263;
  private static final int PACKET_IGNORE_OUTGOING = 23;
  private static final int PACKET_ADD_MEMBERSHIP = 1;
  private static final int PACKET_MR_PROMISC = 1;
  private static final int SOL_SOCKET = 1;
  private static final int SO_REUSEADDR = 2;
  private static final int SO_ATTACH_FILTER = 26;

  /** Every protocol (ETH_P_ALL). */
  private static final int ANY_PROTOCOL = 3;

  private Sockets() {}

  /** A Unix-domain datagram socket. */
  public static Socket unixDatagram() {
    return open(SocketAddress.AF_UNIX, SOCK_DGRAM, 0, "unix-datagram-socket");
  }

  /** A Unix-domain stream socket. */
  public static Socket unixStream() {
    return open(SocketAddress.AF_UNIX, SOCK_STREAM, 0, "unix-stream-socket");
  }

  /** A UDP socket over IPv4. */
  public static Socket udp() {
    return open(SocketAddress.AF_INET, SOCK_DGRAM, 0, "udp-socket");
  }

  /** A TCP socket that accepts connections to an IPv4 address and port. */
  public static Socket tcpListening(SocketAddress address, int backlog) {
    Socket socket = open(SocketAddress.AF_INET, SOCK_STREAM, 0, "tcp-socket");
    socket.setOptional(SOL_SOCKET, SO_REUSEADDR, 1);
    bound(socket, address);
    try {
      socket.listen(backlog);
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** The kernel's news about network interfaces (NETLINK_ROUTE, group RTNLGRP_LINK). */
  public static Socket linkNews() {
    Socket socket = open(SocketAddress.AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "netlink-socket");
    return bound(socket, SocketAddress.netlink(RTMGRP_LINK));
  }

  /**
   * Whole Ethernet frames of one interface (AF_PACKET), of the given Ethernet types only, or of all
   * if none is given. Frames that this machine sends are left out where the kernel can (4.20); see
   * {@link MessageBatch#isOutgoing} for the others.
   *
   * @param promiscuous whether frames for other addresses are wanted, as a bridge does
   */
  public static Socket packet(NetDevice device, int[] etherTypes, boolean promiscuous) {
    // protocol 0 first: nothing arrives before the filter is in place
    Socket socket = open(SocketAddress.AF_PACKET, SOCK_RAW, 0, "packet-socket");
    try {
      socket.setOptional(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
      if (etherTypes.length > 0) {
        attachFilter(socket, etherTypes);
      }
      socket.bind(SocketAddress.packet(device.index(), ANY_PROTOCOL, device.name()));
      if (promiscuous) {
        NativeBuffer request = new NativeBuffer(16); // struct packet_mreq
        request.bytes().putInt(0, device.index()).putShort(4, (short) PACKET_MR_PROMISC);
        socket.setOption(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request, 16);
      }
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** A classic BPF program: load the Ethernet type, accept the ones listed, refuse the rest. */
  private static void attachFilter(Socket socket, int[] etherTypes) {
    int count = etherTypes.length;
    NativeBuffer program = new NativeBuffer(8 * (count + 3));
    putInstruction(program, 0, 0x28, 0, 0, 12); // ldh [12]
    for (int i = 0; i < count; i++) {
      putInstruction(program, 1 + i, 0x15, count - i, 0, etherTypes[i]); // jeq type, accept
    }
    putInstruction(program, 1 + count, 0x06, 0, 0, 0); // ret 0
    putInstruction(program, 2 + count, 0x06, 0, 0, -1); // accept: ret all
    NativeBuffer header = new NativeBuffer(16); // struct sock_fprog
    header.bytes().putShort(0, (short) (count + 3)).putLong(8, program.address());
    socket.setOption(SOL_SOCKET, SO_ATTACH_FILTER, header, 16);
    java.lang.ref.Reference.reachabilityFence(program);
  }

  private static void putInstruction(
      NativeBuffer program, int index, int code, int jumpTrue, int jumpFalse, int k) {
    program
        .bytes()
        .putShort(8 * index, (short) code)
        .put(8 * index + 2, (byte) jumpTrue)
        .put(8 * index + 3, (byte) jumpFalse)
        .putInt(8 * index + 4, k);
  }

  private static Socket bound(Socket socket, SocketAddress address) {
    try {
      socket.bind(address);
      return socket;
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static Socket open(int domain, int type, int protocol, String name) {
    int fd = Libc.socket(domain, type | FLAGS, protocol);
    return new Socket(Descriptor.check(fd, name + " socket", name), name);
  }
}
