package io.xmig.adapt.cli;

import io.xmig.adapt.gateway.Gateway;
import io.xmig.adapt.route.HostRoutes;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** {@code xmig gateway} in its router's process. */
public final class GatewayInNode implements NodeService {
  @Override
  public String name() {
    return "gateway";
  }

  @Override
  public CompletableFuture<Running> start(Supplier<XiaStack> stacks, List<String> options) {
    XiaStack stack = stacks.get();
    GatewayCommand command = Options.parse(new GatewayCommand(), options);
    return AdaptServices.gateway(stack, Options.check(command::config))
        .thenApply(gateway -> new Serving(stack, gateway));
  }

  private record Serving(XiaStack stack, Gateway gateway) implements Running {
    @Override
    public Map<String, Supplier<String>> handlers() {
      return Map.of(
          "refused", () -> Options.lines(gateway.refusals().counts()),
          "registrations", () -> Long.toString(gateway.registrations()),
          "repoints", () -> Long.toString(gateway.repoints()),
          "beacons", () -> Long.toString(gateway.beaconsSent()),
          "hosts", this::hosts,
          "changes", this::changes);
    }

    /** Routes that changed: HID, basis, port, and how many microseconds ago. */
    private String changes() {
      StringBuilder text = new StringBuilder();
      long now = stack.loop().nanoTime();
      for (HostRoutes.Change change : gateway.hosts().changes()) {
        text.append(change.hid()).append(' ').append(change.basis()).append(' ');
        text.append(change.port()).append(' ').append((now - change.atNs()) / 1000).append('\n');
      }
      return text.toString();
    }

    private String hosts() {
      StringBuilder text = new StringBuilder();
      for (HostRoutes.Host host : gateway.hosts().all()) {
        text.append(host.hid()).append(' ').append(host.basis()).append(' ').append(host.route());
        text.append('\n');
      }
      return text.toString();
    }

    @Override
    public void close() {
      gateway.close();
    }
  }
}
