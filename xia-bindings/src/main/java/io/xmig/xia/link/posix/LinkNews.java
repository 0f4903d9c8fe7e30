package io.xmig.xia.link.posix;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads the kernel's messages about network interfaces.
 *
 * <pre>
 *  nlmsghdr   u32 length, u16 type, u16 flags, u32 sequence, u32 pid
 *  ifinfomsg  u8 family, u8 0, u16 type, s32 index, u32 flags, u32 change
 *  rtattr     u16 length, u16 type, value, padded to 4
 * </pre>
 *
 * @source rtnetlink(7)
 */
public final class LinkNews {
  private static final int RTM_NEWLINK = 16;
  private static final int RTM_DELLINK = 17;
  private static final int HEADER_LENGTH = 16;
  private static final int INFO_LENGTH = 16;
  private static final int IFLA_EVENT = 44;
  private static final int IFLA_EVENT_NOTIFY_PEERS = 4;
  private static final int IFF_LOWER_UP = 0x10000;

  private static final int RTM_GETLINK = 18;
  private static final int NLM_F_REQUEST_DUMP = 0x301;

  /** Length of {@link #writeQuery}. */
  public static final int QUERY_LENGTH = HEADER_LENGTH + INFO_LENGTH;

  private LinkNews() {}

  /** Writes the question for the state of every interface; the answer reads like news. */
  public static void writeQuery(ByteBuffer target) {
    ByteBuffer b = target.duplicate().order(ByteOrder.nativeOrder());
    for (int i = 0; i < QUERY_LENGTH; i++) {
      b.put(i, (byte) 0);
    }
    b.putInt(0, QUERY_LENGTH)
        .putShort(4, (short) RTM_GETLINK)
        .putShort(6, (short) NLM_F_REQUEST_DUMP);
  }

  /** Hears what a message says. */
  public interface Listener {
    /** The interface was asked to announce itself: this machine runs at another place now. */
    void notifyPeers(int interfaceIndex);

    /** State of the interface: administratively up and carrier present. */
    void state(int interfaceIndex, boolean up);
  }

  /** Reads the messages from position to limit; what cannot be understood is skipped. */
  public static void parse(ByteBuffer datagram, Listener listener) {
    ByteBuffer b = datagram.duplicate().order(ByteOrder.nativeOrder());
    int at = b.position();
    while (b.limit() - at >= HEADER_LENGTH) {
      int length = b.getInt(at);
      if (length < HEADER_LENGTH || length > b.limit() - at) {
        return;
      }
      int type = Short.toUnsignedInt(b.getShort(at + 4));
      if ((type == RTM_NEWLINK || type == RTM_DELLINK) && length >= HEADER_LENGTH + INFO_LENGTH) {
        link(b, at + HEADER_LENGTH, at + length, type == RTM_NEWLINK, listener);
      }
      at += align(length);
    }
  }

  private static void link(ByteBuffer b, int start, int end, boolean exists, Listener listener) {
    int index = b.getInt(start + 4);
    boolean up = exists && (b.getInt(start + 8) & IFF_LOWER_UP) != 0;
    int at = start + INFO_LENGTH;
    while (end - at >= 4) {
      int length = Short.toUnsignedInt(b.getShort(at));
      if (length < 4 || length > end - at) {
        break;
      }
      if (b.getShort(at + 2) == IFLA_EVENT
          && length >= 8
          && b.getInt(at + 4) == IFLA_EVENT_NOTIFY_PEERS) {
        listener.notifyPeers(index);
      }
      at += align(length);
    }
    listener.state(index, up);
  }

  private static int align(int length) {
    return (length + 3) & ~3;
  }
}
