package io.xmig.xia.link.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What this package believes about C structures and constants, against the system's headers. */
@Timeout(300)
class StructureLayoutTest {
  private static final String PROGRAM =
      """
      #define _GNU_SOURCE
      #include <stdio.h>
      #include <stddef.h>
      #include <sys/socket.h>
      #include <sys/un.h>
      #include <sys/epoll.h>
      #include <sys/ioctl.h>
      #include <sys/prctl.h>
      #include <netinet/in.h>
      #include <net/if.h>
      #include <netpacket/packet.h>
      #include <linux/if_tun.h>
      #include <linux/if_link.h>
      #include <linux/filter.h>
      #include <linux/netlink.h>
      #include <linux/rtnetlink.h>
      #include <errno.h>
      #define P(name, value) printf("%s %ld\\n", name, (long) (value))
      int main(void) {
        P("mmsghdr", sizeof(struct mmsghdr));
        P("mmsghdr.name", offsetof(struct mmsghdr, msg_hdr.msg_name));
        P("mmsghdr.namelen", offsetof(struct mmsghdr, msg_hdr.msg_namelen));
        P("mmsghdr.iov", offsetof(struct mmsghdr, msg_hdr.msg_iov));
        P("mmsghdr.iovlen", offsetof(struct mmsghdr, msg_hdr.msg_iovlen));
        P("mmsghdr.flags", offsetof(struct mmsghdr, msg_hdr.msg_flags));
        P("mmsghdr.len", offsetof(struct mmsghdr, msg_len));
        P("msghdr", sizeof(struct msghdr));
        P("iovec", sizeof(struct iovec));
        P("sockaddr_un.path", offsetof(struct sockaddr_un, sun_path));
        P("sun_path", sizeof(((struct sockaddr_un *) 0)->sun_path));
        P("sockaddr_in", sizeof(struct sockaddr_in));
        P("sockaddr_in.addr", offsetof(struct sockaddr_in, sin_addr));
        P("sockaddr_ll", sizeof(struct sockaddr_ll));
        P("sockaddr_ll.ifindex", offsetof(struct sockaddr_ll, sll_ifindex));
        P("sockaddr_ll.pkttype", offsetof(struct sockaddr_ll, sll_pkttype));
        P("sockaddr_nl", sizeof(struct sockaddr_nl));
        P("sockaddr_nl.groups", offsetof(struct sockaddr_nl, nl_groups));
        P("ifreq", sizeof(struct ifreq));
        P("ifreq.value", offsetof(struct ifreq, ifr_flags));
        P("epoll_event", sizeof(struct epoll_event));
        P("epoll_event.data", offsetof(struct epoll_event, data));
        P("packet_mreq", sizeof(struct packet_mreq));
        P("packet_mreq.type", offsetof(struct packet_mreq, mr_type));
        P("sock_fprog", sizeof(struct sock_fprog));
        P("sock_fprog.filter", offsetof(struct sock_fprog, filter));
        P("sock_filter", sizeof(struct sock_filter));
        P("sock_filter.k", offsetof(struct sock_filter, k));
        P("nlmsghdr", sizeof(struct nlmsghdr));
        P("ifinfomsg", sizeof(struct ifinfomsg));
        P("ifinfomsg.index", offsetof(struct ifinfomsg, ifi_index));
        P("ifinfomsg.flags", offsetof(struct ifinfomsg, ifi_flags));
        P("IFLA_EVENT", IFLA_EVENT);
        P("NOTIFY_PEERS", IFLA_EVENT_NOTIFY_PEERS);
        P("TUNSETIFF", TUNSETIFF);
        P("PACKET_IGNORE_OUTGOING", PACKET_IGNORE_OUTGOING);
        P("SOL_PACKET", SOL_PACKET);
        P("SO_ATTACH_FILTER", SO_ATTACH_FILTER);
        P("SO_SNDBUFFORCE", SO_SNDBUFFORCE);
        P("SO_RCVBUFFORCE", SO_RCVBUFFORCE);
        P("PR_SET_TIMERSLACK", PR_SET_TIMERSLACK);
        P("SOCK_NONBLOCK", SOCK_NONBLOCK);
        P("MSG_TRUNC", MSG_TRUNC);
        P("MSG_NOSIGNAL", MSG_NOSIGNAL);
        P("EAGAIN", EAGAIN);
        P("ECONNREFUSED", ECONNREFUSED);
        P("ENOBUFS", ENOBUFS);
        P("EMSGSIZE", EMSGSIZE);
        return 0;
      }
      """;

  @Test
  void agreesWithTheHeadersOfThisSystem(@TempDir Path dir) throws Exception {
    assumeTrue(
        Files.exists(Path.of("/usr/bin/gcc")) && Files.exists(Path.of("/usr/include/stdio.h")),
        "needs gcc and the C headers");
    Map<String, Long> c = compiled(dir);
    Map<String, Long> ours = new HashMap<>();
    ours.put("mmsghdr", (long) MessageBatch.HEADER_LENGTH);
    ours.put("mmsghdr.name", (long) MessageBatch.NAME);
    ours.put("mmsghdr.namelen", (long) MessageBatch.NAME_LENGTH);
    ours.put("mmsghdr.iov", (long) MessageBatch.IOV);
    ours.put("mmsghdr.iovlen", (long) MessageBatch.IOV_COUNT);
    ours.put("mmsghdr.flags", (long) MessageBatch.FLAGS);
    ours.put("mmsghdr.len", (long) MessageBatch.LENGTH);
    ours.put("msghdr", 56L);
    ours.put("iovec", 16L);
    ours.put("sockaddr_un.path", 2L);
    ours.put("sun_path", SocketAddress.MAX_PATH_BYTES + 1L);
    ours.put("sockaddr_in", 16L);
    ours.put("sockaddr_in.addr", 4L);
    ours.put("sockaddr_ll", 20L);
    ours.put("sockaddr_ll.ifindex", 4L);
    ours.put("sockaddr_ll.pkttype", 10L);
    ours.put("sockaddr_nl", 12L);
    ours.put("sockaddr_nl.groups", 8L);
    ours.put("ifreq", (long) NetDevice.REQUEST_LENGTH);
    ours.put("ifreq.value", (long) NetDevice.VALUE);
    ours.put("epoll_event", (long) Epoll.EVENT_LENGTH);
    ours.put("epoll_event.data", (long) Epoll.EVENT_DATA);
    ours.put("packet_mreq", 16L);
    ours.put("packet_mreq.type", 4L);
    ours.put("sock_fprog", 16L);
    ours.put("sock_fprog.filter", 8L);
    ours.put("sock_filter", 8L);
    ours.put("sock_filter.k", 4L);
    ours.put("nlmsghdr", 16L);
    ours.put("ifinfomsg", 16L);
    ours.put("ifinfomsg.index", 4L);
    ours.put("ifinfomsg.flags", 8L);
    ours.put("IFLA_EVENT", 44L);
    ours.put("NOTIFY_PEERS", 4L);
    ours.put("TUNSETIFF", 0x400454caL);
    ours.put("PACKET_IGNORE_OUTGOING", 23L);
    ours.put("SOL_PACKET", 263L);
    ours.put("SO_ATTACH_FILTER", 26L);
    ours.put("SO_SNDBUFFORCE", 32L);
    ours.put("SO_RCVBUFFORCE", 33L);
    ours.put("PR_SET_TIMERSLACK", 29L);
    ours.put("SOCK_NONBLOCK", (long) Sockets.NONBLOCK);
    ours.put("MSG_TRUNC", 0x20L);
    ours.put("MSG_NOSIGNAL", 0x4000L);
    ours.put("EAGAIN", (long) Errno.EAGAIN);
    ours.put("ECONNREFUSED", (long) Errno.ECONNREFUSED);
    ours.put("ENOBUFS", (long) Errno.ENOBUFS);
    ours.put("EMSGSIZE", (long) Errno.EMSGSIZE);
    assertThat(ours).isEqualTo(c);
  }

  private static Map<String, Long> compiled(Path dir) throws Exception {
    Path source = Files.writeString(dir.resolve("layout.c"), PROGRAM);
    Path program = dir.resolve("layout");
    Process gcc =
        new ProcessBuilder("/usr/bin/gcc", "-o", program.toString(), source.toString())
            .redirectErrorStream(true)
            .start();
    String messages = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(gcc.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(gcc.exitValue()).as(messages).isZero();
    Process run = new ProcessBuilder(program.toString()).start();
    Map<String, Long> values = new HashMap<>();
    new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
        .lines()
        .forEach(line -> values.put(line.split(" ")[0], Long.parseLong(line.split(" ")[1])));
    return values;
  }

  @Test
  void refusesLengthsThatDoNotFitTheMemory() {
    NativeBuffer buffer = new NativeBuffer(100);
    assertThat(buffer.address(0, 100)).isEqualTo(buffer.address());
    for (int[] bad : new int[][] {{0, 101}, {100, 1}, {-1, 1}, {1, -1}, {Integer.MAX_VALUE, 5}}) {
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> buffer.address(bad[0], bad[1]))
          .isInstanceOf(IllegalArgumentException.class);
    }
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> SocketAddress.unix(Path.of("/tmp/" + "x".repeat(103))))
        .hasMessageContaining("107");
  }
}
