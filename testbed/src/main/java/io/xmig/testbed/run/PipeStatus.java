package io.xmig.testbed.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a migration pipe wrote into its status file.
 *
 * @param sha256 digest of the whole stream, empty if it was not verified
 * @param streamBytes bytes of the stream
 * @param chunkBytes payload handed over in chunks
 * @param events named moments
 * @param progress bytes written to QEMU over time
 */
record PipeStatus(
    String sha256,
    long streamBytes,
    long chunkBytes,
    List<MigrationRecord.Moment> events,
    List<MigrationRecord.Progress> progress) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads a status file; a half-written last line is left out, a missing file is an empty status.
   */
  static PipeStatus read(Path file) throws IOException {
    String sha256 = "";
    long streamBytes = 0;
    long chunkBytes = 0;
    List<MigrationRecord.Moment> events = new ArrayList<>();
    List<MigrationRecord.Progress> progress = new ArrayList<>();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
        JsonNode node = parse(line);
        if (node == null) {
          continue;
        }
        String name = node.path("event").asText();
        long atUs = node.path("timeMs").asLong() * 1000;
        if (name.equals("progress")) {
          progress.add(new MigrationRecord.Progress(atUs, node.path("written").asLong()));
          chunkBytes = Math.max(chunkBytes, node.path("payloadBytes").asLong());
        } else {
          events.add(new MigrationRecord.Moment(name, atUs));
        }
        if (name.equals("verified")) {
          sha256 = node.path("sha256").asText();
          streamBytes = node.path("bytes").asLong();
        }
      }
    }
    return new PipeStatus(sha256, streamBytes, chunkBytes, events, progress);
  }

  private static @org.jspecify.annotations.Nullable JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      return null;
    }
  }
}
