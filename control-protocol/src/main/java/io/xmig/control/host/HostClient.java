package io.xmig.control.host;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.HostServiceGrpc;
import io.xmig.control.host.v1.ListRequest;
import io.xmig.control.host.v1.WatchRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client of a host service.
 *
 * <pre>
 * try (HostClient host = HostClient.onSocket(Path.of("/run/xmig/a/host.sock"))) {
 *   String id = host.calls().migrate(request).getMigration();
 *   host.watch(id).forEachRemaining(event -> …);
 * }
 * </pre>
 *
 * @threading any
 */
public final class HostClient implements AutoCloseable {
  private static final int CALL_SECONDS = 60;

  private final ManagedChannel channel;
  private final @Nullable EventLoopGroup group;

  private HostClient(ManagedChannel channel, @Nullable EventLoopGroup group) {
    this.channel = channel;
    this.group = group;
  }

  /** A client of the service on this machine that listens on {@code socket}. */
  public static HostClient onSocket(Path socket) {
    EventLoopGroup group = new EpollEventLoopGroup(1);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollDomainSocketChannel.class, DomainSocketAddress.class)
            .eventLoopGroup(group)
            .overrideAuthority("localhost")
            .usePlaintext()
            .build();
    return new HostClient(channel, group);
  }

  /**
   * A client over TCP with mutual TLS.
   *
   * @param target {@code host:port}
   */
  public static HostClient overTls(String target, Path certificate, Path key, Path authorities)
      throws IOException {
    ChannelCredentials credentials =
        TlsChannelCredentials.newBuilder()
            .keyManager(certificate.toFile(), key.toFile())
            .trustManager(authorities.toFile())
            .build();
    return new HostClient(Grpc.newChannelBuilder(target, credentials).build(), null);
  }

  /** Whether somebody answers on a socket. */
  static boolean answers(Path socket) {
    try (HostClient client = onSocket(socket)) {
      client.calls().withDeadlineAfter(2, TimeUnit.SECONDS).list(ListRequest.getDefaultInstance());
      return true;
    } catch (StatusRuntimeException e) {
      // a busy machine's service takes its time; where nobody listens that is known at once
      return e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED;
    }
  }

  /** The service's calls; they throw {@link StatusRuntimeException} with the service's words. */
  public HostServiceGrpc.HostServiceBlockingStub calls() {
    return HostServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * What happens to a migration, from its beginning; ends after the event that carries the result.
   *
   * @param migration or "" for everything from now on, without end
   */
  public Iterator<HostEvent> watch(String migration) {
    return HostServiceGrpc.newBlockingStub(channel)
        .watch(WatchRequest.newBuilder().setMigration(migration).build());
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (group != null) {
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
