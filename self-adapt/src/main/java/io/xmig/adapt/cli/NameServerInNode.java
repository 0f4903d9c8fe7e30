package io.xmig.adapt.cli;

import io.xmig.adapt.names.NameServer;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code xmig nameserver} in its node's process. */
public final class NameServerInNode implements NodeService {
  @Override
  public String name() {
    return "nameserver";
  }

  @Override
  public CompletableFuture<Running> start(XiaStack stack, List<String> options) {
    NameServerCommand command = Options.parse(new NameServerCommand(), options);
    return AdaptServices.nameServer(stack, Options.check(command::config)).thenApply(Serving::new);
  }

  private record Serving(NameServer server) implements Running {
    @Override
    public Map<String, Supplier<String>> handlers() {
      return Map.of(
          "refused", () -> Options.lines(server.refusals().counts()),
          "registrations", () -> Long.toString(server.registrations()));
    }

    @Override
    public void close() {
      server.close();
    }
  }
}
