package io.xmig.control.resident;

import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.resident.Requests.Hello;
import io.xmig.control.resident.Requests.Start;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A transfer that a resident process runs, joined to QEMU by a Unix-domain socket. Nobody waits for
 * its end, and a cancel reaches QEMU even if nobody reads.
 *
 * <p>Beside the exit status, which the process writes when the transfer ends, stands who that
 * process is: if it is gone without having written one, the transfer ended as if killed.
 *
 * @threading any
 */
public final class ResidentPipe implements MigrationPipe {
  private static final Logger log = LoggerFactory.getLogger(ResidentPipe.class);
  private static final int KILLED = 128 + 9;

  /** The kernel's bound for a socket's path. */
  private static final int MAX_SOCKET_PATH = 107;

  private final Path control;
  private final String id;
  private final List<String> words;
  private final Path qemu;
  private final Path processFile;
  private final Path exitFile;

  /**
   * @param control the process's control socket
   * @param directory where the transfer's files are
   * @param name of the transfer on this host, and what its files begin with
   * @param words {@code send} or {@code receive} with its options
   */
  public ResidentPipe(Path control, Path directory, String name, List<String> words) {
    this.control = control;
    this.id = name;
    this.words = List.copyOf(words);
    this.qemu = directory.resolve(name.substring(0, Math.min(name.length(), 16)) + ".sock");
    this.processFile = directory.resolve(name + ".process");
    this.exitFile = directory.resolve(name + ".exit");
  }

  @Override
  public void prepare() throws IOException {
    Files.deleteIfExists(exitFile);
    Files.deleteIfExists(processFile);
    if (qemu.toAbsolutePath().toString().length() > MAX_SOCKET_PATH) {
      throw new IOException("the path of a socket would be too long: " + qemu);
    }
    Files.deleteIfExists(qemu);
    try (ResidentClient client = new ResidentClient(control)) {
      Hello who =
          client.start(new Start(id, qemu.toAbsolutePath(), exitFile.toAbsolutePath(), words));
      Files.writeString(processFile, who.process() + " " + who.started() + "\n");
    }
  }

  @Override
  public String uri() {
    return "unix:" + qemu.toAbsolutePath();
  }

  /** Whether such a transfer was begun here. */
  public boolean wasBegun() {
    return Files.exists(processFile);
  }

  @Override
  public OptionalInt exitStatus() {
    OptionalInt written = written();
    if (written.isPresent() || processLives()) {
      return written;
    }
    OptionalInt afterAll = written();
    return afterAll.isPresent() ? afterAll : OptionalInt.of(KILLED);
  }

  private OptionalInt written() {
    String[] lines = read(exitFile).split("\n", 2);
    try {
      return lines[0].isEmpty()
          ? OptionalInt.empty()
          : OptionalInt.of(Integer.parseInt(lines[0].strip()));
    } catch (NumberFormatException e) {
      log.warn("not an exit status in {}", exitFile);
      return OptionalInt.empty();
    }
  }

  /** True as well if nobody has taken the transfer yet. */
  private boolean processLives() {
    String[] who = read(processFile).strip().split(" ", -1);
    if (who.length != 2) {
      return true;
    }
    try {
      Instant started = Instant.parse(who[1]);
      return ProcessHandle.of(Long.parseLong(who[0]))
          .filter(p -> p.isAlive() && p.info().startInstant().filter(started::equals).isPresent())
          .isPresent();
    } catch (RuntimeException e) {
      log.warn("no process in {}: {}", processFile, e.getMessage());
      return true;
    }
  }

  @Override
  public String lastWords() {
    String[] lines = read(exitFile).split("\n", 2);
    return lines.length == 2 ? lines[1].strip() : "";
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException none) {
      return "";
    } catch (IOException e) {
      log.debug("cannot read {}: {}", file, e.getMessage());
      return "";
    }
  }

  @Override
  public void kill() {
    tell(client -> client.kill(id));
  }

  @Override
  public void terminate() {
    tell(client -> client.terminate(id));
  }

  private interface Call {
    void on(ResidentClient client) throws IOException;
  }

  private void tell(Call call) {
    if (!wasBegun() || exitStatus().isPresent()) {
      return;
    }
    try (ResidentClient client = new ResidentClient(control)) {
      call.on(client);
    } catch (IOException e) {
      log.warn("cannot end {}: {}", id, e.getMessage());
    }
  }
}
