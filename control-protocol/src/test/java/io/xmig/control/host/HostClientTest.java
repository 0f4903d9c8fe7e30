package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class HostClientTest {
  @TempDir Path directory;

  @Test
  void aServiceThatIsSlowToAnswerIsThereAndOneThatHasEndedIsNot() throws IOException {
    Path socket = directory.resolve("s");
    try (ServerSocketChannel slow = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      slow.bind(UnixDomainSocketAddress.of(socket));

      assertThat(HostClient.answers(socket)).isTrue();
    }

    assertThat(socket).exists();
    assertThat(HostClient.answers(socket)).isFalse();
  }
}
