package io.xmig.control.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A migration pipe that QEMU starts by itself ({@code exec:}), wrapped so that neither QEMU waits
 * for it nor its end stays unseen.
 *
 * <p>QEMU runs the text after {@code exec:} in a shell and later waits, frozen with the guest,
 * until that shell has exited. So the shell exits at once and leaves the pipe behind with QEMU's
 * stream on its stdin and stdout; a subshell that holds neither writes down the pipe's process id
 * and, at the end, its exit status.
 *
 * @param command program and arguments of the pipe
 * @param pidFile gets the process id
 * @param statusFile gets the exit status once the pipe has ended
 */
public record PipeCommand(List<String> command, Path pidFile, Path statusFile)
    implements MigrationPipe {
  private static final Logger log = LoggerFactory.getLogger(PipeCommand.class);

  public PipeCommand {
    command = List.copyOf(command);
    if (command.isEmpty()) {
      throw new IllegalArgumentException("a pipe needs a program");
    }
  }

  /** A pipe whose files are in {@code directory} and begin with {@code name}. */
  public static PipeCommand in(Path directory, String name, List<String> command) {
    return new PipeCommand(
        command, directory.resolve(name + ".pid"), directory.resolve(name + ".status"));
  }

  @Override
  public String uri() {
    String program = command.stream().map(PipeCommand::quote).collect(Collectors.joining(" "));
    return "exec:exec 3<&0; ("
        + program
        + " <&3 3<&- & echo $! >"
        + quote(pidFile + ".new")
        + "; mv "
        + quote(pidFile + ".new")
        + " "
        + quote(pidFile.toString())
        // only the pipe may hold QEMU's stream, or nobody would see its end
        + "; exec 3<&- </dev/null >/dev/null 2>&1; wait $!; echo $? >"
        + quote(statusFile + ".new")
        + "; mv "
        + quote(statusFile + ".new")
        + " "
        + quote(statusFile.toString())
        + ") & exit 0";
  }

  private static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  @Override
  public void prepare() throws IOException {
    Files.deleteIfExists(pidFile);
    Files.deleteIfExists(statusFile);
  }

  /** The pipe's process id once it runs. */
  public Optional<Long> pid() {
    OptionalInt pid = readNumber(pidFile);
    return pid.isPresent() ? Optional.of((long) pid.getAsInt()) : Optional.empty();
  }

  @Override
  public OptionalInt exitStatus() {
    return readNumber(statusFile);
  }

  @Override
  public void kill() {
    if (exitStatus().isPresent()) {
      return; // the id may belong to somebody else by now
    }
    pid().flatMap(ProcessHandle::of).ifPresent(ProcessHandle::destroyForcibly);
  }

  @Override
  public void terminate() {
    if (exitStatus().isEmpty()) {
      pid().flatMap(ProcessHandle::of).ifPresent(ProcessHandle::destroy);
    }
  }

  private static OptionalInt readNumber(Path file) {
    try {
      return OptionalInt.of(Integer.parseInt(Files.readString(file).strip()));
    } catch (java.nio.file.NoSuchFileException e) {
      return OptionalInt.empty();
    } catch (IOException | NumberFormatException e) {
      log.debug("cannot read {}: {}", file, e.getMessage());
      return OptionalInt.empty();
    }
  }
}
