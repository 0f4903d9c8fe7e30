package io.xmig.xia.link.posix;

import java.nio.ByteBuffer;

/**
 * An epoll instance with a time-out in nanoseconds: {@code epoll_pwait2} where it exists, else a
 * timer descriptor beside {@code epoll_wait}.
 *
 * @threading one thread
 */
public final class Epoll extends Descriptor {
  /** Bytes can be read, or a connection accepted. */
  public static final int IN = 1;

  /** There is room to write. */
  public static final int OUT = 4;

  /** An error is pending; always reported. */
  public static final int ERROR = 8;

  /** The other end has gone; always reported. */
  public static final int HANGUP = 16;

  private static final int EDGE_TRIGGERED = 1 << 31;
  private static final int ADD = 1;
  private static final int DELETE = 2;
  private static final int MODIFY = 3;
  private static final int CLOSE_ON_EXEC = 0x80000;
  private static final int CLOCK_MONOTONIC = 1;
  private static final int TIMER_ABSOLUTE_OFF = 0;
  private static final long TIMER_TOKEN = -1;

  // struct epoll_event is packed on x86-64 only
  private static final boolean PACKED = System.getProperty("os.arch").matches("amd64|x86_64");
  static final int EVENT_LENGTH = PACKED ? 12 : 16;
  static final int EVENT_DATA = PACKED ? 4 : 8;

  private final int capacity;
  private final NativeBuffer events;
  private final NativeBuffer request = new NativeBuffer(16);
  private final NativeBuffer timeout = new NativeBuffer(32);
  private final long[] tokens;
  private final int[] ready;
  private boolean precise;
  private int timerFd = -1;

  /**
   * @param capacity events taken per wait
   */
  public Epoll(int capacity) {
    this(capacity, LibcRecent.EPOLL_PWAIT2);
  }

  Epoll(int capacity, boolean precise) {
    super(check(Libc.epoll_create1(CLOSE_ON_EXEC), "epoll_create1", "epoll"), "epoll");
    this.capacity = capacity;
    this.events = new NativeBuffer(capacity * EVENT_LENGTH);
    this.tokens = new long[capacity];
    this.ready = new int[capacity];
    this.precise = precise;
  }

  /** Watches a descriptor; {@code token} (not negative) comes back with its events. */
  public void add(Descriptor descriptor, int interest, long token) {
    control(ADD, descriptor.fd(), interest, token, descriptor.name());
  }

  /** Changes what is watched for. */
  public void modify(Descriptor descriptor, int interest, long token) {
    control(MODIFY, descriptor.fd(), interest, token, descriptor.name());
  }

  /** Stops watching; to be called before the descriptor is closed. */
  public void remove(Descriptor descriptor) {
    control(DELETE, descriptor.fd(), 0, 0, descriptor.name());
  }

  private void control(int operation, int fd, int interest, long token, String name) {
    request.bytes().putInt(0, interest);
    request.bytes().putLong(EVENT_DATA, token);
    check(Libc.epoll_ctl(fd(), operation, fd, request.address()), "epoll_ctl", name);
  }

  /**
   * Waits for events.
   *
   * @param timeoutNs longest wait, 0 not to wait, negative for ever
   * @return number of events, read with {@link #token} and {@link #events}; 0 after the time-out
   */
  public int await(long timeoutNs) {
    int count;
    if (timeoutNs <= 0) {
      count = Libc.epoll_wait(fd(), events.address(), capacity, timeoutNs == 0 ? 0 : -1);
    } else if (precise) {
      ByteBuffer t = timeout.bytes();
      t.putLong(0, timeoutNs / 1_000_000_000L);
      t.putLong(8, timeoutNs % 1_000_000_000L);
      count = LibcRecent.epoll_pwait2(fd(), events.address(), capacity, timeout.address(0, 16), 0);
    } else {
      armTimer(timeoutNs);
      count = Libc.epoll_wait(fd(), events.address(), capacity, -1);
    }
    if (count < 0) {
      int errno = Libc.errno();
      if (errno == Errno.ENOSYS && precise) {
        precise = false; // an old kernel below a recent C library
        return await(timeoutNs);
      }
      if (errno == Errno.EINTR) {
        return 0;
      }
      throw new PosixException("epoll_wait", "epoll", errno);
    }
    ByteBuffer b = events.bytes();
    int kept = 0;
    for (int i = 0; i < count; i++) {
      long token = b.getLong(i * EVENT_LENGTH + EVENT_DATA);
      if (token != TIMER_TOKEN) {
        tokens[kept] = token;
        ready[kept++] = b.getInt(i * EVENT_LENGTH);
      }
    }
    return kept;
  }

  /** The token of the i-th event. */
  public long token(int i) {
    return tokens[i];
  }

  /** What happened: a union of {@link #IN}, {@link #OUT}, {@link #ERROR}, {@link #HANGUP}. */
  public int events(int i) {
    return ready[i];
  }

  private void armTimer(long timeoutNs) {
    if (timerFd < 0) {
      timerFd =
          check(
              Libc.timerfd_create(CLOCK_MONOTONIC, CLOSE_ON_EXEC | Sockets.NONBLOCK),
              "timerfd_create",
              "timer");
      // edge-triggered: setting the timer anew clears it, so it is never read
      control(ADD, timerFd, IN | EDGE_TRIGGERED, TIMER_TOKEN, "timer");
    }
    ByteBuffer t = timeout.bytes();
    t.putLong(0, 0).putLong(8, 0);
    t.putLong(16, timeoutNs / 1_000_000_000L).putLong(24, timeoutNs % 1_000_000_000L);
    check(
        Libc.timerfd_settime(timerFd, TIMER_ABSOLUTE_OFF, timeout.address(0, 32), 0),
        "timerfd_settime",
        "timer");
  }

  @Override
  public void close() {
    if (!isClosed() && timerFd >= 0) {
      Libc.close(timerFd);
    }
    super.close();
  }
}
