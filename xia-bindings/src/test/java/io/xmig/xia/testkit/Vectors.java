package io.xmig.xia.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;

/**
 * The golden vectors: packets captured from the XIA prototype v1.1, with their decoded fields.
 *
 * <p>They are class-path resources {@code vectors/NAME.json}; docs/wire.md section 13 lists them.
 */
public final class Vectors {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Vectors() {}

  /**
   * One vector.
   *
   * @param file the file's name without {@code .json}
   * @param name unique in its file
   * @param link what the bytes are: {@code ethernet}, {@code ip}, {@code sockaddr_x}, …
   * @param bytes a fresh copy for each load
   * @param json the whole entry, e.g. {@code json.get("text")}
   */
  public record Vector(
      String file, String name, String description, String link, byte[] bytes, JsonNode json) {
    /** The decoded fields. */
    public JsonNode fields() {
      return json.get("fields");
    }

    /** A top-level text of the entry, e.g. {@code text} of a DAG. */
    public String text(String key) {
      JsonNode value = json.get(key);
      if (value == null || !value.isTextual()) {
        throw new IllegalArgumentException(this + " has no text '" + key + "'");
      }
      return value.asText();
    }

    /**
     * The bytes, counted from the start of the XCMP message, that carry uninitialised memory of the
     * capturing process.
     */
    public BitSet undefinedBytesOfXcmp() {
      BitSet undefined = new BitSet();
      for (JsonNode range : json.path("undefined_ranges")) {
        if (!range.get("of").asText().equals("xcmp message")) {
          throw new IllegalStateException(this + ": unknown undefined range " + range);
        }
        undefined.set(range.get("from").asInt(), range.get("to").asInt() + 1);
      }
      return undefined;
    }

    @Override
    public String toString() {
      return file + "/" + name;
    }
  }

  /** All vectors of {@code vectors/FILE.json} in file order. */
  public static List<Vector> load(String file) {
    try (InputStream in = Vectors.class.getResourceAsStream("/vectors/" + file + ".json")) {
      if (in == null) {
        throw new IllegalArgumentException("no vectors/" + file + ".json on the class path");
      }
      List<Vector> vectors = new ArrayList<>();
      for (JsonNode entry : JSON.readTree(in)) {
        vectors.add(
            new Vector(
                file,
                entry.get("name").asText(),
                entry.get("description").asText(),
                entry.get("link").asText(),
                HexFormat.of().parseHex(entry.get("hex").asText()),
                entry));
      }
      return vectors;
    } catch (IOException e) {
      throw new UncheckedIOException("vectors/" + file + ".json", e);
    }
  }

  /** One vector by file and name. */
  public static Vector get(String file, String name) {
    return load(file).stream()
        .filter(v -> v.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no vector " + file + "/" + name));
  }
}
