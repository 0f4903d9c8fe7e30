package io.xmig.xia.link.posix;

import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A C {@code sockaddr} and its length.
 *
 * <pre>
 *  AF_UNIX     u16 family, path (at most 107 bytes), 0
 *  AF_INET     u16 family, u16 BE port, u32 BE address, 8 × 0
 *  AF_PACKET   u16 family, u16 BE protocol, s32 ifindex, u16 hatype, u8 pkttype, u8 halen, 8 bytes
 *  AF_NETLINK  u16 family, u16 0, u32 pid, u32 groups
 * </pre>
 */
public final class SocketAddress {
  /** Longest path of a Unix-domain socket in bytes (sun_path minus the terminating zero). */
  public static final int MAX_PATH_BYTES = 107;

  static final int AF_UNIX = 1;
  static final int AF_INET = 2;
  static final int AF_NETLINK = 16;
  static final int AF_PACKET = 17;

  private final NativeBuffer memory;
  private final int length;
  private final String text;

  private SocketAddress(ByteBuffer bytes, String text) {
    this.length = bytes.position();
    this.memory = new NativeBuffer(length);
    this.memory.bytes().put(0, bytes, 0, length);
    this.text = text;
  }

  private static ByteBuffer start(int capacity, int family) {
    return ByteBuffer.allocate(capacity).order(ByteOrder.nativeOrder()).putShort((short) family);
  }

  /** A socket in the file system. */
  public static SocketAddress unix(Path path) {
    byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
    if (name.length == 0 || name.length > MAX_PATH_BYTES) {
      throw new IllegalArgumentException(
          "a socket path has 1 to "
              + MAX_PATH_BYTES
              + " bytes, this one "
              + name.length
              + " (choose a shorter directory): "
              + path);
    }
    return new SocketAddress(
        start(2 + name.length + 1, AF_UNIX).put(name).put((byte) 0), path.toString());
  }

  /** An IPv4 address and port. */
  public static SocketAddress inet(Inet4Address address, int port) {
    if (port < 0 || port > 0xffff) {
      throw new IllegalArgumentException("a port is 0 to 65535, not " + port);
    }
    ByteBuffer b = start(16, AF_INET);
    b.put((byte) (port >> 8)).put((byte) port).put(address.getAddress()).putLong(0);
    return new SocketAddress(b, address.getHostAddress() + ":" + port);
  }

  /** Every frame of one interface that the socket's protocol lets through. */
  static SocketAddress packet(int interfaceIndex, int protocol, String interfaceName) {
    ByteBuffer b = start(20, AF_PACKET);
    b.put((byte) (protocol >> 8)).put((byte) protocol).putInt(interfaceIndex);
    b.putShort((short) 0).put((byte) 0).put((byte) 0).putLong(0);
    return new SocketAddress(b, interfaceName);
  }

  /** Multicast groups of the kernel's routing messages. */
  static SocketAddress netlink(int groups) {
    return new SocketAddress(
        start(12, AF_NETLINK).putShort((short) 0).putInt(0).putInt(groups), "netlink");
  }

  long address() {
    return memory.address();
  }

  int length() {
    return length;
  }

  @Override
  public String toString() {
    return text;
  }
}
