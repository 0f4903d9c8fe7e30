package io.xmig.control.pipe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the last line of progress in a file of {@link StatusLines} says of the path.
 *
 * @param bytesPerSecond measured rate of the path, 0 if unknown
 * @param downtimeLimitMs QEMU's downtime-limit that the pipe counts with, 0 if it does not say
 */
public record LastProgress(long bytesPerSecond, int downtimeLimitMs) {
  /** More than a few lines. */
  private static final int TAIL_BYTES = 4096;

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads the end of the file; it may be being written.
   *
   * @throws IOException if there is one that cannot be read
   */
  public static Optional<LastProgress> read(Path file) throws IOException {
    String[] lines = tail(file).split("\n", -1);
    for (int i = lines.length - 2; i >= 0; i--) { // what follows the last line end is not complete
      try {
        JsonNode line = JSON.readTree(lines[i]);
        if (line.path("event").asText().equals("progress")) {
          return Optional.of(
              new LastProgress(
                  line.path("bytesPerSecond").asLong(), line.path("downtimeLimitMs").asInt()));
        }
      } catch (JsonProcessingException e) {
        return Optional.empty(); // the tail begins within this line
      }
    }
    return Optional.empty();
  }

  private static String tail(Path file) throws IOException {
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      channel.position(Math.max(0, channel.size() - TAIL_BYTES));
      ByteBuffer bytes = ByteBuffer.allocate(TAIL_BYTES);
      while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
        // on
      }
      return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
