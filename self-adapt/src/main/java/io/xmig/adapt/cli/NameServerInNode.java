package io.xmig.adapt.cli;

import io.xmig.adapt.names.NameJournal;
import io.xmig.adapt.names.NameServer;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.service.NameFile;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** {@code xmig nameserver} in its node's process. */
public final class NameServerInNode implements NodeService {
  @Override
  public String name() {
    return "nameserver";
  }

  @Override
  public CompletableFuture<Running> start(Supplier<XiaStack> stacks, List<String> options) {
    XiaStack stack = stacks.get();
    NameServerCommand command = Options.parse(new NameServerCommand(), options);
    NameServer.Config config = Options.check(command::config);
    NameFile journal = command.journal();
    return AdaptServices.nameServer(stack, config, journal == null ? NameJournal.NONE : journal)
        .thenApply(server -> new Serving(server, journal));
  }

  private record Serving(NameServer server, @Nullable NameFile journal) implements Running {
    @Override
    public Map<String, Supplier<String>> handlers() {
      return Map.of(
          "refused", () -> Options.lines(server.refusals().counts()),
          "registrations", () -> Long.toString(server.registrations()));
    }

    @Override
    public void close() {
      server.close();
      if (journal != null) {
        journal.close();
      }
    }
  }
}
