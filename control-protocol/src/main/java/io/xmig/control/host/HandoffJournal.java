package io.xmig.control.host;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One small file per hand-off that is under way; replaced whole, so that a crash leaves the old or
 * the new one.
 *
 * @threading any; one hand-off is written by one thread
 */
final class HandoffJournal {
  private static final Logger log = LoggerFactory.getLogger(HandoffJournal.class);
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;

  HandoffJournal(Path directory) throws IOException {
    this.directory = Files.createDirectories(directory);
  }

  /** Whether the text may name a hand-off, and so a file. */
  static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  /**
   * Makes {@code record} survive this process, and for {@link HandoffRecord.Phase#COMMITTED} also
   * the machine: a destination that forgot across a power failure that its guest has run would let
   * the source run an older one. The source's records need not be: its QEMU does not survive
   * either.
   */
  void write(HandoffRecord record) {
    Path file = file(record.handoff());
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try {
      byte[] bytes = JSON.writeValueAsBytes(record);
      try (FileChannel channel =
          FileChannel.open(
              fresh,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
        if (record.phase() == HandoffRecord.Phase.COMMITTED) {
          channel.force(false);
        }
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the hand-off journal " + file, e);
    }
  }

  void remove(String handoff) {
    try {
      Files.deleteIfExists(file(handoff));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove from the hand-off journal", e);
    }
  }

  /** Whether there is a record of this hand-off, readable or not. */
  boolean holds(String handoff) {
    return Files.exists(file(handoff));
  }

  /** Every hand-off that was under way. */
  List<HandoffRecord> all() throws IOException {
    List<HandoffRecord> records = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".json")).toList()) {
        try {
          records.add(JSON.readValue(file.toFile(), HandoffRecord.class));
        } catch (IOException e) {
          // without knowing what it said nobody may be started on its account
          log.error("unreadable hand-off record {}: {}", file, e.getMessage());
        }
      }
    }
    return records;
  }

  private Path file(String handoff) {
    if (!isId(handoff)) {
      throw new IllegalArgumentException("not the id of a hand-off: " + handoff);
    }
    return directory.resolve(handoff + ".json");
  }
}
