package io.xmig.control.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Runs the text after {@code exec:} as QEMU does, with {@code /bin/sh -c}. */
@Timeout(300)
class PipeCommandTest {
  @TempDir Path directory;

  private Process start(PipeCommand pipe) throws IOException {
    pipe.prepare();
    assertThat(pipe.uri()).startsWith("exec:");
    Path input = Files.writeString(directory.resolve("in"), "the stream");
    return new ProcessBuilder("/bin/sh", "-c", pipe.uri().substring("exec:".length()))
        .redirectInput(input.toFile())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  @Test
  void leavesTheShellAtOnceAndThePipeWithTheStream() throws Exception {
    Path output = directory.resolve("it's out");
    PipeCommand pipe =
        PipeCommand.in(
            directory,
            "p",
            List.of("sh", "-c", "sleep 0.2; cat > \"$0\"; exit 7", output.toString()));
    Process shell = start(pipe);

    assertThat(shell.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(shell.exitValue()).isZero();

    await().atMost(Duration.ofSeconds(60)).until(() -> pipe.exitStatus().isPresent());
    assertThat(pipe.exitStatus()).isEqualTo(OptionalInt.of(7));
    assertThat(output).hasContent("the stream");
  }

  @Test
  void passesTheEndOfThePipesOutputOn() throws Exception {
    PipeCommand pipe = PipeCommand.in(directory, "p", List.of("echo", "from afar"));
    Process shell = start(pipe);

    assertThat(new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo("from afar\n");
    await().atMost(Duration.ofSeconds(60)).until(() -> pipe.exitStatus().isPresent());
  }

  @Test
  void reportsAPipeThatCannotBeStarted() throws Exception {
    PipeCommand pipe = PipeCommand.in(directory, "p", List.of("/no/such/program"));
    start(pipe);

    await().atMost(Duration.ofSeconds(60)).until(() -> pipe.exitStatus().isPresent());
    assertThat(pipe.exitStatus()).isEqualTo(OptionalInt.of(127));
  }

  @Test
  void killsAPipeThatBlocks() throws Exception {
    PipeCommand pipe = PipeCommand.in(directory, "p", List.of("sleep", "60"));
    start(pipe);
    await().atMost(Duration.ofSeconds(60)).until(() -> pipe.pid().isPresent());

    pipe.kill();

    await().atMost(Duration.ofSeconds(60)).until(() -> pipe.exitStatus().isPresent());
    assertThat(pipe.exitStatus()).isEqualTo(OptionalInt.of(128 + 9));
    assertThat(Files.exists(pipe.pidFile())).isTrue();
  }
}
