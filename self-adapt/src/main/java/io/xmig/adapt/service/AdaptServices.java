package io.xmig.adapt.service;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.gateway.Gateway;
import io.xmig.adapt.gateway.GatewayConfig;
import io.xmig.adapt.names.NameJournal;
import io.xmig.adapt.names.NameServer;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.Signer;
import io.xmig.xia.link.posix.Threads;
import io.xmig.xia.socket.XiaStack;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/**
 * Starts the services on a stack, from whatever thread: with Ed25519, the system's clock and the
 * system's randomness. In a node's process give it the node's own stack; there each costs no
 * process.
 *
 * @threading any
 */
public final class AdaptServices {
  private static final int WARM_UP_ROUNDS = 150;

  private AdaptServices() {}

  /** Microseconds since the epoch. */
  public static long epochMicros() {
    return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
  }

  /** Starts a gateway; completes when it serves. */
  public static CompletableFuture<Gateway> gateway(XiaStack stack, GatewayConfig config) {
    warmUp();
    return onLoop(
        stack,
        () -> {
          Gateway gateway =
              new Gateway(
                  stack, config, new Ed25519(), new SecureRandom(), AdaptServices::epochMicros);
          return gateway.start().thenApply(started -> gateway);
        });
  }

  /** Starts an agent; completes when it looks for a gateway. */
  public static CompletableFuture<Agent> agent(XiaStack stack, AgentConfig config) {
    warmUp();
    return onLoop(
        stack,
        () -> {
          Agent agent =
              new Agent(
                  stack, config, new Ed25519(), new SecureRandom(), AdaptServices::epochMicros);
          return agent.start().thenApply(started -> agent);
        });
  }

  /** An agent that is not started yet; on the stack's loop. */
  public static Agent newAgent(XiaStack stack, AgentConfig config) {
    return new Agent(stack, config, new Ed25519(), new SecureRandom(), AdaptServices::epochMicros);
  }

  /** Starts a name server; completes when it serves. */
  public static CompletableFuture<NameServer> nameServer(XiaStack stack, NameServer.Config config) {
    return nameServer(stack, config, NameJournal.NONE);
  }

  /** Starts a name server that goes on with the names in a journal. */
  public static CompletableFuture<NameServer> nameServer(
      XiaStack stack, NameServer.Config config, NameJournal journal) {
    warmUp();
    return onLoop(
        stack,
        () -> {
          NameServer server =
              new NameServer(stack, config, new Ed25519(), journal, AdaptServices::epochMicros);
          return server.start().thenApply(started -> server);
        });
  }

  private static <T> CompletableFuture<T> onLoop(
      XiaStack stack, Callable<CompletableFuture<T>> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () -> {
              try {
                work.call()
                    .whenComplete(
                        (value, error) -> {
                          if (error == null) {
                            result.complete(value);
                          } else {
                            result.completeExceptionally(error);
                          }
                        });
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  /**
   * Signs and checks until the JIT has seen it: the first signature of a fresh JVM takes tens of
   * milliseconds, and on an emulated processor ten times that, right when a machine has moved.
   */
  public static void warmUp() {
    Thread warm =
        new Thread(
            () -> {
              Threads.background(); // Java's own priorities mean nothing to Linux
              Signer signer = Ed25519.generate();
              Ed25519 verifier = new Ed25519();
              byte[] message = "warm".repeat(64).getBytes(StandardCharsets.US_ASCII);
              for (int i = 0; i < WARM_UP_ROUNDS; i++) {
                verifier.verify(signer.identity(), message, signer.sign(message));
              }
            },
            "signature-warm-up");
    warm.setDaemon(true);
    warm.start();
  }
}
