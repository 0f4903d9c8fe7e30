package io.xmig.xia.link.posix;

import java.nio.charset.StandardCharsets;

/**
 * A network interface of this machine (of this network namespace) as it was when looked up.
 *
 * @param name e.g. {@code eth0}
 * @param index the kernel's number
 * @param mac Ethernet address as 48 bits
 * @param mtu largest payload of a frame
 */
public record NetDevice(String name, int index, long mac, int mtu) {
  static final int NAME_CAPACITY = 16;
  static final int REQUEST_LENGTH = 40; // struct ifreq
  static final int VALUE = 16;

  private static final long SIOCGIFFLAGS = 0x8913;
  private static final long SIOCSIFFLAGS = 0x8914;
  private static final long SIOCGIFMTU = 0x8921;
  private static final long SIOCSIFMTU = 0x8922;
  private static final long SIOCGIFHWADDR = 0x8927;
  private static final long SIOCGIFINDEX = 0x8933;
  private static final int IFF_UP = 1;

  /** Looks an interface up. */
  public static NetDevice named(String name) {
    try (Socket socket = Sockets.udp()) {
      int index = request(socket, SIOCGIFINDEX, name, "look-up", 0).bytes().getInt(VALUE);
      int mtu = request(socket, SIOCGIFMTU, name, "MTU look-up", 0).bytes().getInt(VALUE);
      NativeBuffer hardware = request(socket, SIOCGIFHWADDR, name, "address look-up", 0);
      long mac = 0;
      for (int i = 0; i < 6; i++) { // sockaddr: family, then the address
        mac = mac << 8 | hardware.bytes().get(VALUE + 2 + i) & 0xff;
      }
      return new NetDevice(name, index, mac, mtu);
    }
  }

  /** Sets the MTU; needs CAP_NET_ADMIN. */
  public static void setMtu(String name, int mtu) {
    try (Socket socket = Sockets.udp()) {
      request(socket, SIOCSIFMTU, name, "MTU change", mtu);
    }
  }

  /** Brings the interface up; needs CAP_NET_ADMIN. */
  public static void setUp(String name) {
    try (Socket socket = Sockets.udp()) {
      int flags = request(socket, SIOCGIFFLAGS, name, "flags", 0).bytes().getShort(VALUE);
      if ((flags & IFF_UP) == 0) {
        request(socket, SIOCSIFFLAGS, name, "up", flags | IFF_UP);
      }
    }
  }

  private static NativeBuffer request(
      Descriptor descriptor, long code, String name, String what, int value) {
    NativeBuffer request = new NativeBuffer(REQUEST_LENGTH);
    putName(request, name);
    request.bytes().putInt(VALUE, value);
    Descriptor.check(
        Libc.ioctl(descriptor.fd(), code, request.address()), "interface " + what, name);
    return request;
  }

  static void putName(NativeBuffer request, String name) {
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    if (bytes.length == 0 || bytes.length >= NAME_CAPACITY) {
      throw new IllegalArgumentException(
          "an interface name has 1 to 15 characters: '" + name + "'");
    }
    request.bytes().put(0, bytes);
  }
}
