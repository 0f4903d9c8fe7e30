package io.xmig.control.pipe;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what happens as lines of JSON, for whoever started the pipe. A reader that does not read
 * loses lines and never delays the transfer.
 *
 * @threading {@link #event} and {@link #progress} from any thread
 */
public final class StatusLines implements PipeEvents, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StatusLines.class);
  private static final int MAX_WAITING = 256;
  private static final long CLOSE_MILLIS = 50;

  private final @Nullable OutputStream target;
  private final ArrayBlockingQueue<String> lines = new ArrayBlockingQueue<>(MAX_WAITING);
  private final JsonFactory json = new JsonFactory();
  private final Thread writer = new Thread(this::write, "status");
  private final long startedNs = System.nanoTime();
  private volatile boolean closing;

  private StatusLines(@Nullable OutputStream target) {
    this.target = target;
    writer.setDaemon(true);
    if (target != null) {
      writer.start();
    }
  }

  /** Lines that nobody wants. */
  public static StatusLines none() {
    return new StatusLines(null);
  }

  /**
   * Opens a target.
   *
   * @param where {@code fd:N} for an open file descriptor, {@code unix:PATH} for a listening
   *     socket, else the path of a file to append to
   * @throws IOException if it cannot be opened
   */
  public static StatusLines open(String where) throws IOException {
    if (where.startsWith("fd:")) {
      return new StatusLines(new FileOutputStream("/dev/fd/" + where.substring(3), true));
    }
    if (where.startsWith("unix:")) {
      SocketChannel socket =
          SocketChannel.open(UnixDomainSocketAddress.of(Path.of(where.substring(5))));
      return new StatusLines(Channels.newOutputStream(socket));
    }
    return new StatusLines(new FileOutputStream(where, true));
  }

  @Override
  public void event(String name, Map<String, ?> facts) {
    if (target == null) {
      return;
    }
    StringWriter line = new StringWriter(160);
    try (JsonGenerator out = json.createGenerator(line)) {
      out.writeStartObject();
      out.writeStringField("event", name);
      out.writeNumberField("timeMs", System.currentTimeMillis());
      out.writeNumberField("sinceStartMs", (System.nanoTime() - startedNs) / 1_000_000);
      for (Map.Entry<String, ?> fact : facts.entrySet()) {
        out.writeFieldName(fact.getKey());
        writeValue(out, fact.getValue());
      }
      out.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("a string cannot be written", e);
    }
    lines.offer(line.append('\n').toString());
  }

  private static void writeValue(JsonGenerator out, Object value) throws IOException {
    if (value instanceof Long || value instanceof Integer) {
      out.writeNumber(((Number) value).longValue());
    } else if (value instanceof Number number) {
      out.writeNumber(number.doubleValue());
    } else if (value instanceof Boolean truth) {
      out.writeBoolean(truth);
    } else {
      out.writeString(String.valueOf(value));
    }
  }

  /** A line of progress. */
  public void progress(Progress p) {
    if (target == null) {
      return;
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("phase", p.phase());
    facts.put("bytes", p.takenBytes());
    facts.put("acknowledged", p.acknowledgedBytes());
    facts.put("written", p.writtenBytes());
    facts.put("chunks", p.chunks());
    facts.put("payloadBytes", p.payloadBytes());
    facts.put("bytesPerSecond", Math.round(p.bytesPerSecond()));
    facts.put("rttUs", p.rttNs() / 1000);
    facts.put("inFlight", p.inFlightBytes());
    facts.put("budget", p.budgetBytes());
    facts.put("downtimeLimitMs", Math.round(p.downtimeLimitNs() / 1e6));
    facts.put("chunkBytes", p.chunkBytes());
    facts.put("losses", p.losses());
    facts.put("refetched", p.refetched());
    event("progress", facts);
  }

  private void write() {
    OutputStream out = target;
    if (out == null) {
      return;
    }
    try (out) {
      while (true) {
        String line = lines.poll(50, TimeUnit.MILLISECONDS);
        if (line != null) {
          out.write(line.getBytes(StandardCharsets.UTF_8));
          out.flush();
        } else if (closing) {
          return;
        }
      }
    } catch (IOException e) {
      log.info("nobody reads the status lines any more: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Writes what waits, for a moment at most. */
  @Override
  public void close() {
    closing = true;
    try {
      long end = System.nanoTime() + CLOSE_MILLIS * 1_000_000;
      while (writer.isAlive() && !lines.isEmpty() && System.nanoTime() < end) {
        writer.join(1);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
