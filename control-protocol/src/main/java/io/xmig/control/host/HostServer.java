package io.xmig.control.host;

import io.grpc.Grpc;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Serves a {@link VmHost} to people and programs: on a Unix-domain socket that only this user can
 * open, and over TCP only with certificates on both sides.
 *
 * @threading any
 */
public final class HostServer implements AutoCloseable {
  private static final int STOP_SECONDS = 3;

  private final List<Server> servers = new ArrayList<>();
  private final List<EventLoopGroup> groups = new ArrayList<>();
  private final @Nullable Path socket;

  /**
   * TCP with mutual TLS.
   *
   * @param port 0 for any
   * @param certificate this service's chain, PEM
   * @param key its key, PEM
   * @param authorities who may sign clients' certificates, PEM
   */
  public record Tls(int port, Path certificate, Path key, Path authorities) {}

  /**
   * Starts to serve.
   *
   * @param socket path of the Unix-domain socket; {@code null} for TCP only
   * @throws IOException if it cannot listen, e.g. because another service does
   */
  public HostServer(VmHost host, @Nullable Path socket, @Nullable Tls tls) throws IOException {
    this.socket = socket;
    HostGrpcService service = new HostGrpcService(host);
    try {
      if (socket != null) {
        listen(service, socket);
      }
      if (tls != null) {
        ServerCredentials credentials =
            TlsServerCredentials.newBuilder()
                .keyManager(tls.certificate().toFile(), tls.key().toFile())
                .trustManager(tls.authorities().toFile())
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build();
        servers.add(
            Grpc.newServerBuilderForPort(tls.port(), credentials)
                .addService(service)
                .build()
                .start());
      }
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private void listen(HostGrpcService service, Path path) throws IOException {
    if (Files.exists(path)) {
      if (HostClient.answers(path)) {
        throw new IOException(
            "another host service listens on " + path + "; stop it or use another --state");
      }
      Files.delete(path);
    }
    EventLoopGroup group = new EpollEventLoopGroup(2);
    groups.add(group);
    servers.add(
        NettyServerBuilder.forAddress(new DomainSocketAddress(path.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(group)
            .workerEventLoopGroup(group)
            .addService(service)
            .build()
            .start());
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
  }

  /** The TCP port, or −1. */
  public int port() {
    return servers.isEmpty() ? -1 : servers.get(servers.size() - 1).getPort();
  }

  @Override
  public void close() {
    servers.forEach(Server::shutdownNow);
    for (Server server : servers) {
      try {
        server.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    groups.forEach(group -> group.shutdownGracefully(0, 1, TimeUnit.SECONDS));
    if (socket != null && !servers.isEmpty()) {
      try {
        Files.deleteIfExists(socket);
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
  }
}
