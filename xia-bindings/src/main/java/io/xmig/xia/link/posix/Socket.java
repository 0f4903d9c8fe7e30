package io.xmig.xia.link.posix;

import org.jspecify.annotations.Nullable;

/** A socket. Calls that would block return −{@link Errno#EAGAIN}. */
public final class Socket extends Descriptor {
  private static final int SOL_SOCKET = 1;
  private static final int SO_ERROR = 4;
  private static final int SO_SNDBUF = 7;
  private static final int SO_RCVBUF = 8;
  private static final int SO_SNDBUFFORCE = 32;
  private static final int SO_RCVBUFFORCE = 33;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int ACCEPT_FLAGS = Sockets.NONBLOCK | 0x80000;

  Socket(int fd, String name) {
    super(fd, name);
  }

  /** Gives the socket its address. */
  public void bind(SocketAddress address) {
    check(
        Libc.bind(fd(), address.address(), address.length()), name() + " bind", address.toString());
  }

  /**
   * Sets the peer.
   *
   * @return 0 or −errno
   */
  public int connect(SocketAddress peer) {
    return result(Libc.connect(fd(), peer.address(), peer.length()));
  }

  /** Starts accepting connections. */
  public void listen(int backlog) {
    check(Libc.listen(fd(), backlog), name() + " listen", name());
  }

  /** The next waiting connection, or {@code null}. */
  public @Nullable Socket accept(String connectionName) {
    int accepted = Libc.accept4(fd(), 0, 0, ACCEPT_FLAGS);
    if (accepted >= 0) {
      return new Socket(accepted, connectionName);
    }
    int errno = Libc.errno();
    if (errno == Errno.EAGAIN || errno == Errno.EINTR || errno == Errno.ECONNRESET) {
      return null;
    }
    throw new PosixException("accept", name(), errno);
  }

  /** The port a UDP socket was bound to. */
  public int localPort() {
    NativeBuffer address = new NativeBuffer(24);
    address.bytes().putInt(16, 16);
    check(
        Libc.getsockname(fd(), address.address(0, 16), address.address(16, 4)),
        "getsockname",
        name());
    return (address.bytes().get(2) & 0xff) << 8 | address.bytes().get(3) & 0xff;
  }

  /** Takes the pending error: 0 or an errno. */
  public int takeError() {
    return option(SO_ERROR);
  }

  /**
   * What the kernel may hold for this socket, its own structures included: about twice what was
   * asked for.
   */
  public int receiveBuffer() {
    return option(SO_RCVBUF);
  }

  private int option(int which) {
    NativeBuffer value = new NativeBuffer(8);
    value.bytes().putInt(4, 4);
    Libc.getsockopt(fd(), SOL_SOCKET, which, value.address(0, 4), value.address(4, 4));
    return value.bytes().getInt(0);
  }

  /** Asks for kernel buffers of these sizes; root may exceed the system's limit, others get it. */
  public void buffers(int sendBytes, int receiveBytes) {
    if (!setOptional(SOL_SOCKET, SO_SNDBUFFORCE, sendBytes)) {
      setOptional(SOL_SOCKET, SO_SNDBUF, sendBytes);
    }
    if (!setOptional(SOL_SOCKET, SO_RCVBUFFORCE, receiveBytes)) {
      setOptional(SOL_SOCKET, SO_RCVBUF, receiveBytes);
    }
  }

  /** Sends one datagram, or as much of a stream as fits; bytes sent or −errno. */
  public int send(NativeBuffer data, int offset, int length) {
    return result(
        Libc.send(fd(), data.address(offset, length), length, MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  /** Receives one datagram or some bytes of a stream; bytes received or −errno. */
  public int receive(NativeBuffer target, int offset, int length) {
    return result(Libc.recv(fd(), target.address(offset, length), length, MSG_DONTWAIT));
  }

  /** Sends the pieces gathered in {@code pieces} as one message; bytes sent or −errno. */
  public int send(Pieces pieces) {
    return result(Libc.sendmsg(fd(), pieces.header(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  /** Receives into the pieces, filling one after the other; bytes received or −errno. */
  public int receive(Pieces pieces) {
    return result(Libc.recvmsg(fd(), pieces.header(), MSG_DONTWAIT));
  }

  /** Sends messages {@code from} to {@code from + count}; how many were sent, or −errno. */
  public int send(MessageBatch batch, int from, int count) {
    return result(
        Libc.sendmmsg(fd(), batch.header(from, count), count, MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  /** Receives up to {@code count} messages; how many arrived, or −errno. */
  public int receive(MessageBatch batch, int count) {
    batch.prepare(count);
    return result(Libc.recvmmsg(fd(), batch.header(0, count), count, MSG_DONTWAIT, 0));
  }

  boolean setOptional(int level, int option, int value) {
    NativeBuffer memory = new NativeBuffer(4);
    memory.bytes().putInt(0, value);
    return Libc.setsockopt(fd(), level, option, memory.address(), 4) == 0;
  }

  void setOption(int level, int option, NativeBuffer value, int length) {
    check(
        Libc.setsockopt(fd(), level, option, value.address(0, length), length),
        name() + " setsockopt " + level + "/" + option,
        name());
  }
}
