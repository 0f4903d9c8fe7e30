package io.xmig.xia.link.posix;

/** An eventfd: any thread wakes the one that waits for it. */
public final class EventDescriptor extends Descriptor {
  private static final int CLOSE_ON_EXEC = 0x80000;

  private final NativeBuffer one = new NativeBuffer(8);
  private final NativeBuffer sink = new NativeBuffer(8);

  public EventDescriptor() {
    super(
        check(Libc.eventfd(0, CLOSE_ON_EXEC | Sockets.NONBLOCK), "eventfd", "eventfd"), "eventfd");
    one.bytes().putLong(0, 1);
  }

  /** Makes it readable. From any thread. */
  public void signal() {
    write(one, 0, 8);
  }

  /** Makes it unreadable again. */
  public void drain() {
    read(sink, 0, 8);
  }
}
