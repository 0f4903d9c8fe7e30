package io.xmig.control.resident;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What is said on the control socket of resident pipes: one JSON object per line, one answer per
 * request.
 *
 * <pre>
 *   {"do":"start","id":ID,"qemu":SOCKET,"exit":FILE,"words":["send","--to",…]}
 *   {"do":"kill","id":ID}   {"do":"terminate","id":ID}   {"do":"hello"}   {"do":"quit"}
 *   {"ok":true,…}   {"ok":false,"error":TEXT}
 * </pre>
 *
 * @source docs/protocol.md section 7
 */
public final class Requests {
  /** Longest line in bytes, its end not counted. */
  public static final int MAX_LINE = 64 << 10;

  /** Longest name of a transfer. */
  static final int MAX_ID = 200;

  private static final int MAX_WORDS = 100;
  private static final ObjectMapper JSON = new ObjectMapper();

  private Requests() {}

  /** A transfer that is asked for. */
  public record Start(String id, Path qemu, Path exit, List<String> words) {
    public Start {
      words = List.copyOf(words);
    }
  }

  /** What a process says of itself. */
  public record Hello(long process, Instant started, String stack, int transfers) {}

  /** A request or an answer that makes no sense; the message says what is wrong. */
  public static final class BadRequest extends IOException {
    private static final long serialVersionUID = 1L;

    public BadRequest(String message) {
      super(message);
    }
  }

  static ObjectNode of(String what) {
    return JSON.createObjectNode().put("do", what);
  }

  static ObjectNode of(Start start) {
    ObjectNode request =
        of("start")
            .put("id", start.id())
            .put("qemu", start.qemu().toString())
            .put("exit", start.exit().toString());
    start.words().forEach(request.putArray("words")::add);
    return request;
  }

  static ObjectNode ok() {
    return JSON.createObjectNode().put("ok", true);
  }

  static ObjectNode failed(String error) {
    return JSON.createObjectNode().put("ok", false).put("error", error);
  }

  static ObjectNode of(Hello hello) {
    return ok().put("process", hello.process())
        .put("started", hello.started().toString())
        .put("stack", hello.stack())
        .put("transfers", hello.transfers());
  }

  static Hello hello(JsonNode answer) throws BadRequest {
    try {
      return new Hello(
          answer.path("process").longValue(),
          Instant.parse(answer.path("started").asText()),
          answer.path("stack").asText(),
          answer.path("transfers").intValue());
    } catch (java.time.format.DateTimeParseException e) {
      throw new BadRequest("the answer has no time of start");
    }
  }

  static byte[] line(ObjectNode message) {
    return (message + "\n").getBytes(StandardCharsets.UTF_8);
  }

  static JsonNode parse(String line) throws BadRequest {
    try {
      JsonNode parsed = JSON.readTree(line);
      if (parsed == null || !parsed.isObject()) {
        throw new BadRequest("not a JSON object");
      }
      return parsed;
    } catch (JsonProcessingException e) {
      throw new BadRequest("not JSON: " + e.getOriginalMessage());
    }
  }

  static String id(JsonNode request) throws BadRequest {
    String id = text(request, "id");
    if (id.length() > MAX_ID || id.chars().anyMatch(c -> c < ' ' || c == '/')) {
      throw new BadRequest("'id' is longer than " + MAX_ID + " or has characters it must not have");
    }
    return id;
  }

  static Start start(JsonNode request) throws BadRequest {
    List<String> words = new ArrayList<>();
    JsonNode given = request.path("words");
    if (!given.isArray() || given.isEmpty() || given.size() > MAX_WORDS) {
      throw new BadRequest("'words' must be an array of 1 to " + MAX_WORDS);
    }
    for (JsonNode word : given) {
      if (!word.isTextual()) {
        throw new BadRequest("'words' must be texts");
      }
      words.add(word.asText());
    }
    return new Start(id(request), path(request, "qemu"), path(request, "exit"), words);
  }

  private static Path path(JsonNode request, String name) throws BadRequest {
    try {
      Path path = Path.of(text(request, name));
      if (!path.isAbsolute()) {
        throw new BadRequest("'" + name + "' must be an absolute path");
      }
      return path;
    } catch (java.nio.file.InvalidPathException e) {
      throw new BadRequest("'" + name + "' is no path");
    }
  }

  private static String text(JsonNode request, String name) throws BadRequest {
    JsonNode value = request.path(name);
    if (!value.isTextual() || value.asText().isEmpty()) {
      throw new BadRequest("'" + name + "' is missing");
    }
    return value.asText();
  }
}
