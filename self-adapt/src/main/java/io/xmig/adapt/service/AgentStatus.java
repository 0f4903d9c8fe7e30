package io.xmig.adapt.service;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentEvent;
import io.xmig.adapt.agent.AgentMachine;
import io.xmig.adapt.agent.Attachment;
import io.xmig.adapt.agent.Handoff;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an agent is doing, as {@code xmig agent status} shows it; times in milliseconds since the
 * epoch.
 *
 * @param state the state's name
 * @param waitingFor what it is waiting for, {@code nothing} when all is well
 * @param handoff the last handoff, {@code null} before the first
 * @param events the newest steps, oldest first
 */
public record AgentStatus(
    long pid,
    double writtenMs,
    String hid,
    String state,
    String waitingFor,
    @Nullable String ad,
    @Nullable String gateway,
    @Nullable String nameServer,
    boolean confirmed,
    List<String> unconfirmedNames,
    Map<String, Boolean> redirected,
    int handoffs,
    @Nullable LastHandoff handoff,
    Map<String, Long> refused,
    List<Step> events) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final long MAX_FILE_BYTES = 4 << 20;

  /** One step. */
  public record Step(double atMs, String name, Map<String, String> facts) {}

  /** The parts of a handoff; those that have not happened are {@code null}. */
  public record LastHandoff(
      int number,
      String cause,
      @Nullable String fromAd,
      String toAd,
      double startedMs,
      double perceivedMs,
      @Nullable Double registeredMs,
      @Nullable Double namedMs,
      Map<String, Double> redirectedMs,
      @Nullable Double completeMs) {}

  /** The status of an agent; on its loop. */
  public static AgentStatus of(Agent agent, long loopNowNs, double epochNowMs) {
    AgentMachine m = agent.machine();
    Attachment place = m.place();
    Map<String, Boolean> redirected = new TreeMap<>();
    m.redirected().forEach((ad, done) -> redirected.put(ad.toString(), done));
    List<Step> steps = new ArrayList<>();
    for (AgentEvent e : m.events()) {
      steps.add(new Step(ms(e.atNs(), loopNowNs, epochNowMs), e.name(), new TreeMap<>(e.facts())));
    }
    return new AgentStatus(
        ProcessHandle.current().pid(),
        epochNowMs,
        agent.hid().toString(),
        m.state().name(),
        m.waitingFor(),
        place == null ? null : place.ad().toString(),
        place == null ? null : place.gateway().toString(),
        place == null || place.nameServer() == null ? null : place.nameServer().toString(),
        m.confirmed(),
        m.unconfirmedNames(),
        redirected,
        m.handoffs(),
        handoff(m.lastHandoff(), loopNowNs, epochNowMs),
        agent.refusals().counts(),
        steps);
  }

  private static @Nullable LastHandoff handoff(@Nullable Handoff h, long nowNs, double nowMs) {
    if (h == null) {
      return null;
    }
    Map<String, Double> redirected = new TreeMap<>();
    h.redirectedNs().forEach((ad, ns) -> redirected.put(ad.toString(), ms(ns, nowNs, nowMs)));
    Attachment from = h.from();
    return new LastHandoff(
        h.number(),
        h.cause(),
        from == null ? null : from.ad().toString(),
        h.to().ad().toString(),
        ms(h.startedNs(), nowNs, nowMs),
        ms(h.perceivedNs(), nowNs, nowMs),
        h.registeredNs() == 0 ? null : ms(h.registeredNs(), nowNs, nowMs),
        h.namedNs() == 0 ? null : ms(h.namedNs(), nowNs, nowMs),
        redirected,
        h.completeNs() == 0 ? null : ms(h.completeNs(), nowNs, nowMs));
  }

  private static double ms(long ns, long nowNs, double nowMs) {
    return nowMs + (ns - nowNs) / 1e6;
  }

  /** Writes a status in place of an older one. */
  public void write(Path file) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.write(fresh, JSON.writeValueAsBytes(this));
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** The JSON text. */
  public String json() {
    try {
      return JSON.writeValueAsString(this);
    } catch (IOException e) {
      throw new IllegalStateException("a record of texts and numbers is always JSON", e);
    }
  }

  /** Reads a status. */
  public static AgentStatus read(Path file) throws IOException {
    if (Files.size(file) > MAX_FILE_BYTES) {
      throw new IOException("status file " + file + " is too large");
    }
    return JSON.readValue(Files.readAllBytes(file), AgentStatus.class);
  }

  /** Whether the process that wrote it still runs. */
  public boolean alive() {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }
}
