package io.xmig.xia.link.posix;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Many datagrams for one call: an array of C {@code mmsghdr}, each with one piece of memory and
 * optionally room for the sender's address.
 *
 * <pre>
 *  mmsghdr, 64 bytes
 *   0 name   8 name length   16 iov   24 iov count   32 control   40 its length   48 flags   56 length
 * </pre>
 */
public final class MessageBatch {
  static final int HEADER_LENGTH = 64;
  static final int NAME = 0;
  static final int NAME_LENGTH = 8;
  static final int IOV = 16;
  static final int IOV_COUNT = 24;
  static final int FLAGS = 48;
  static final int LENGTH = 56;

  private static final int NAME_CAPACITY = 112; // sockaddr_un is the largest
  private static final int MSG_TRUNC = 0x20;
  private static final int PACKET_TYPE_OFFSET = 10; // in struct sockaddr_ll
  private static final int PACKET_OUTGOING = 4;

  private final int capacity;
  private final boolean names;
  private final NativeBuffer memory;
  private final int iovStart;
  private final int nameStart;
  private final @Nullable NativeBuffer[] kept;
  private @Nullable SocketAddress destination; // kept reachable

  /**
   * @param capacity most messages of one call
   * @param names whether the sender of each message is of interest, or each has its own receiver
   */
  public MessageBatch(int capacity, boolean names) {
    this.capacity = capacity;
    this.names = names;
    this.iovStart = capacity * HEADER_LENGTH;
    this.nameStart = iovStart + capacity * 16;
    this.memory = new NativeBuffer(nameStart + (names ? capacity * NAME_CAPACITY : 0));
    this.kept = new @Nullable NativeBuffer[capacity];
    for (int i = 0; i < capacity; i++) {
      memory.bytes().putLong(i * HEADER_LENGTH + IOV, memory.address(iovStart + 16 * i, 16));
      memory.bytes().putLong(i * HEADER_LENGTH + IOV_COUNT, 1);
      if (names) {
        memory
            .bytes()
            .putLong(
                i * HEADER_LENGTH + NAME,
                memory.address(nameStart + NAME_CAPACITY * i, NAME_CAPACITY));
      }
    }
  }

  /** Most messages of one call. */
  public int capacity() {
    return capacity;
  }

  /** Says where message {@code i} is, or is to be put. */
  public void set(int i, NativeBuffer data, int offset, int length) {
    ByteBuffer b = memory.bytes();
    b.putLong(iovStart + 16 * i, data.address(offset, length));
    b.putLong(iovStart + 16 * i + 8, length);
    kept[i] = data;
  }

  /** Addresses all messages that will be sent with this batch. */
  public void to(SocketAddress destination) {
    this.destination = destination;
    for (int i = 0; i < capacity; i++) {
      memory.bytes().putLong(i * HEADER_LENGTH + NAME, destination.address());
      memory.bytes().putInt(i * HEADER_LENGTH + NAME_LENGTH, destination.length());
    }
  }

  /** IPv4 address of the sender of received message {@code i} as a big-endian word. */
  public int senderIpv4(int i) {
    return Integer.reverseBytes(memory.bytes().getInt(nameStart + NAME_CAPACITY * i + 4));
  }

  /** UDP port of the sender of received message {@code i}. */
  public int senderPort(int i) {
    ByteBuffer b = memory.bytes();
    int at = nameStart + NAME_CAPACITY * i + 2;
    return (b.get(at) & 0xff) << 8 | b.get(at + 1) & 0xff;
  }

  /**
   * Addresses message {@code i} alone; the batch must have been made with room for addresses.
   *
   * @param ipv4 the address as a big-endian word
   */
  public void toIpv4(int i, int ipv4, int port) {
    ByteBuffer b = memory.bytes();
    int at = nameStart + NAME_CAPACITY * i;
    b.putShort(at, (short) SocketAddress.AF_INET);
    b.put(at + 2, (byte) (port >> 8)).put(at + 3, (byte) port);
    b.putInt(at + 4, Integer.reverseBytes(ipv4)).putLong(at + 8, 0);
    b.putInt(i * HEADER_LENGTH + NAME_LENGTH, 16);
  }

  /** The path that the sender of received message {@code i} is bound to, or an empty string. */
  public String senderPath(int i) {
    int length = memory.bytes().getInt(i * HEADER_LENGTH + NAME_LENGTH) - 2;
    if (length <= 0 || length > NAME_CAPACITY - 2) {
      return "";
    }
    byte[] path = new byte[length];
    memory.bytes().get(nameStart + NAME_CAPACITY * i + 2, path);
    int end = 0;
    while (end < length && path[end] != 0) {
      end++;
    }
    return new String(path, 0, end, StandardCharsets.UTF_8);
  }

  /** Whether messages {@code i} and {@code j} came from the same address. */
  public boolean sameSender(int i, int j) {
    int length = memory.bytes().getInt(i * HEADER_LENGTH + NAME_LENGTH);
    if (length != memory.bytes().getInt(j * HEADER_LENGTH + NAME_LENGTH)) {
      return false;
    }
    for (int k = 0; k < Math.min(length, NAME_CAPACITY); k++) {
      if (memory.bytes().get(nameStart + NAME_CAPACITY * i + k)
          != memory.bytes().get(nameStart + NAME_CAPACITY * j + k)) {
        return false;
      }
    }
    return true;
  }

  /** Bytes of received message {@code i}. */
  public int length(int i) {
    return memory.bytes().getInt(i * HEADER_LENGTH + LENGTH);
  }

  /** Whether received message {@code i} was longer than its place, so that its end is lost. */
  public boolean isTruncated(int i) {
    return (memory.bytes().getInt(i * HEADER_LENGTH + FLAGS) & MSG_TRUNC) != 0;
  }

  /** Whether received message {@code i} of a packet socket is a frame that this machine sent. */
  public boolean isOutgoing(int i) {
    return names
        && memory.bytes().getInt(i * HEADER_LENGTH + NAME_LENGTH) > PACKET_TYPE_OFFSET
        && memory.bytes().get(nameStart + NAME_CAPACITY * i + PACKET_TYPE_OFFSET)
            == PACKET_OUTGOING;
  }

  /** The kernel has overwritten these fields in the last call. */
  void prepare(int count) {
    ByteBuffer b = memory.bytes();
    for (int i = 0; i < count; i++) {
      b.putInt(i * HEADER_LENGTH + FLAGS, 0);
      if (names) {
        b.putInt(i * HEADER_LENGTH + NAME_LENGTH, NAME_CAPACITY);
      }
    }
  }

  long header(int from, int count) {
    if (from < 0 || count < 0 || from > capacity - count) {
      throw new IllegalArgumentException("messages " + from + "+" + count + " of " + capacity);
    }
    return memory.address(from * HEADER_LENGTH, count * HEADER_LENGTH);
  }
}
