package io.xmig.xia.link.posix;

/** A tap interface: what is written here comes out of the interface, and the reverse. */
public final class Tap extends Descriptor {
  private static final int READ_WRITE = 2;
  private static final int CLOSE_ON_EXEC = 0x80000;
  private static final long TUNSETIFF = 0x400454caL;
  private static final int IFF_TAP = 2;
  private static final int IFF_NO_PI = 0x1000;

  private Tap(int fd, String name) {
    super(fd, name);
  }

  /**
   * Attaches to the tap of this name, which is made if it does not exist and then goes with the
   * descriptor. Frames come bare, without packet information and without virtio-net header ({@code
   * vnet_hdr=off}).
   */
  public static Tap open(String name) {
    NativeBuffer request = new NativeBuffer(NetDevice.REQUEST_LENGTH);
    NetDevice.putName(request, name);
    request.bytes().putShort(NetDevice.VALUE, (short) (IFF_TAP | IFF_NO_PI));
    Tap tap =
        new Tap(
            check(
                Libc.open("/dev/net/tun", READ_WRITE | Sockets.NONBLOCK | CLOSE_ON_EXEC),
                "tap open",
                "/dev/net/tun"),
            name);
    try {
      check(Libc.ioctl(tap.fd(), TUNSETIFF, request.address()), "tap attach", name);
      return tap;
    } catch (RuntimeException e) {
      tap.close();
      throw e;
    }
  }
}
