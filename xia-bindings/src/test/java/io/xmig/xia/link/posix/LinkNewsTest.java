package io.xmig.xia.link.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LinkNewsTest {
  private final List<String> heard = new ArrayList<>();
  private final LinkNews.Listener listener =
      new LinkNews.Listener() {
        @Override
        public void notifyPeers(int interfaceIndex) {
          heard.add("peers " + interfaceIndex);
        }

        @Override
        public void state(int interfaceIndex, boolean up) {
          heard.add(interfaceIndex + (up ? " up" : " down"));
        }
      };

  private static ByteBuffer newLink(int index, int flags, int event) {
    ByteBuffer b = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    b.putInt(52).putShort((short) 16).putShort((short) 0).putInt(0).putInt(0);
    b.putShort((short) 0).putShort((short) 1).putInt(index).putInt(flags).putInt(-1);
    b.putShort((short) 5).putShort((short) 16).putInt(1); // IFLA_OPERSTATE, padded
    b.putShort((short) 8).putShort((short) 44).putInt(event).putInt(0);
    return b.position(0).limit(52);
  }

  @Test
  void theKernelAnswersAQueryWithTheStateOfEveryInterface() {
    NativeBuffer buffer = new NativeBuffer(32 << 10);
    LinkNews.writeQuery(buffer.bytes());
    try (Socket socket = Sockets.linkNews()) {
      assertThat(socket.send(buffer, 0, LinkNews.QUERY_LENGTH)).isEqualTo(LinkNews.QUERY_LENGTH);
      int length = socket.receive(buffer, 0, 32 << 10); // the kernel answers at once
      LinkNews.parse(buffer.bytes().duplicate().clear().limit(length), listener);
    }
    assertThat(heard).anyMatch(said -> said.matches("1 (up|down)")); // the loopback interface
  }

  @Test
  void hearsNotifyPeersAndTheStateOfTheInterface() {
    LinkNews.parse(newLink(7, 0x11043, 4), listener);
    LinkNews.parse(newLink(8, 0x1003, 5), listener);
    assertThat(heard).containsExactly("peers 7", "7 up", "8 down");
  }

  @Test
  void readsSeveralMessagesInOneDatagram() {
    ByteBuffer two = ByteBuffer.allocate(104);
    two.put(newLink(1, 0x10000, 0)).put(newLink(2, 0x10000, 4)).flip();
    LinkNews.parse(two, listener);
    assertThat(heard).containsExactly("1 up", "peers 2", "2 up");
  }

  @Test
  void skipsWhatItCannotUnderstandAtEveryLengthAndForRandomBytes() {
    ByteBuffer whole = newLink(3, 0x10000, 4);
    for (int cut = 0; cut < 52; cut++) {
      LinkNews.parse(whole.duplicate().limit(cut), listener);
    }
    assertThat(heard).as("the length field does not fit").isEmpty();
    Random random = new Random(3);
    for (int i = 0; i < 5000; i++) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      if (bytes.length > 16) { // a plausible header, so that the attributes are reached
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putInt(0, bytes.length);
        bytes[4] = 16;
        bytes[5] = 0;
      }
      LinkNews.parse(ByteBuffer.wrap(bytes), listener);
    }
    assertThat(heard).isNotEmpty();
  }
}
