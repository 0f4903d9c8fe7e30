package io.xmig.control.cli;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.names.NameClient;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/** Keeps a service registered under its name while the process lives, also when the host moves. */
final class Registration {
  private final XiaStack stack;
  private final NameClient names;
  private final String name;
  private final Duration limit;
  private final long againNs;
  private boolean complained;

  Registration(XiaStack stack, String name, Duration limit, long againNs) {
    this.stack = stack;
    this.names = new NameClient(stack);
    this.name = name;
    this.limit = limit;
    this.againNs = againNs;
  }

  /**
   * Registers until it works, and anew after each change of address.
   *
   * @param trouble is told once what is in the way
   */
  void begin(Xid service, Consumer<String> trouble, Runnable registered) {
    stack.onAddressChange(address -> register(address.service(service), trouble, registered));
    register(stack.localAddress().service(service), trouble, registered);
  }

  private void register(Dag address, Consumer<String> trouble, Runnable registered) {
    names
        .register(name, address, limit)
        .whenComplete(
            (done, cause) -> {
              if (cause == null) {
                registered.run();
                return;
              }
              if (!complained) {
                complained = true;
                Throwable root =
                    cause instanceof CompletionException && cause.getCause() != null
                        ? cause.getCause()
                        : cause;
                trouble.accept("the name '" + name + "' is not registered: " + root.getMessage());
              }
              stack
                  .loop()
                  .schedule(
                      againNs,
                      () ->
                          register(
                              stack.localAddress().service(address.intent()), trouble, registered));
            });
  }
}
