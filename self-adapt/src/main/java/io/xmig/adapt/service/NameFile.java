package io.xmig.adapt.service;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.adapt.names.NameJournal;
import io.xmig.adapt.names.NameTable;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A name server's journal: one JSON object a line, appended; rewritten at the start and whenever it
 * has grown to several lines a name. A line that cannot be read is passed over with a warning.
 *
 * @threading one thread
 */
public final class NameFile implements NameJournal, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NameFile.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SPARE_LINES = 10_000;
  private static final int MAX_LINE = 8192;

  private record Line(
      String name,
      String address,
      @Nullable String owner,
      long sequence,
      long fingerprint,
      long expires) {}

  private final Path file;
  private final Map<String, NameTable.Held> held = new LinkedHashMap<>();
  private BufferedWriter out;
  private int lines;
  private boolean complained;

  /**
   * Opens a journal, or begins one.
   *
   * @throws IOException if the file can be neither read nor written
   */
  public NameFile(Path file) throws IOException {
    this.file = file.toAbsolutePath();
    if (Files.exists(file)) {
      load();
    }
    out = rewrite();
  }

  private void load() throws IOException {
    int bad = 0;
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        NameTable.Held one = parse(line);
        if (one == null) {
          bad++;
        } else {
          held.put(one.name(), one);
        }
      }
    }
    if (bad > 0) {
      LOG.warn("{}: {} lines are no names and were passed over", file, bad);
    }
  }

  private static NameTable.@Nullable Held parse(String text) {
    if (text.length() > MAX_LINE) {
      return null;
    }
    try {
      Line line = JSON.readValue(text, Line.class);
      return line.name() == null || line.address() == null
          ? null
          : new NameTable.Held(
              line.name(),
              line.address(),
              line.owner() == null ? null : Xid.parse(line.owner()),
              line.sequence(),
              line.fingerprint(),
              line.expires());
    } catch (JsonProcessingException | DagParseException e) {
      return null; // cut short when the machine went down, perhaps
    }
  }

  private BufferedWriter rewrite() throws IOException {
    Path directory = file.getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (BufferedWriter to = Files.newBufferedWriter(fresh)) {
      for (NameTable.Held one : held.values()) {
        to.write(text(one));
      }
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    lines = held.size();
    return Files.newBufferedWriter(file, StandardOpenOption.APPEND);
  }

  private static String text(NameTable.Held one) throws JsonProcessingException {
    Xid owner = one.owner();
    return JSON.writeValueAsString(
            new Line(
                one.name(),
                one.address(),
                owner == null ? null : owner.toString(),
                one.sequence(),
                one.fingerprint(),
                one.expiresEpochS()))
        + "\n";
  }

  @Override
  public List<NameTable.Held> read() {
    return List.copyOf(held.values());
  }

  @Override
  public void write(NameTable.Held one) {
    held.put(one.name(), one);
    try {
      if (lines > 2 * held.size() + SPARE_LINES) {
        out.close();
        out = rewrite();
      } else {
        out.write(text(one));
        out.flush();
        lines++;
      }
    } catch (IOException e) {
      if (!complained) {
        complained = true;
        LOG.warn("names are not kept in {}: {}", file, e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      LOG.warn("names are not kept in {}: {}", file, e.getMessage());
    }
  }
}
