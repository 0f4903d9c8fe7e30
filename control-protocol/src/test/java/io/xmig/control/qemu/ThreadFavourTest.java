package io.xmig.control.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.xmig.xia.link.posix.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ThreadFavourTest {
  private static final int NICE_FIELD_AFTER_NAME = 16;
  private Process process;

  @BeforeEach
  void start() throws IOException {
    process = new ProcessBuilder("sleep", "600").start();
  }

  @AfterEach
  void end() {
    process.destroyForcibly();
  }

  private int nice() throws IOException {
    String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
    String afterName = stat.substring(stat.lastIndexOf(')') + 2);
    return Integer.parseInt(afterName.split(" ", -1)[NICE_FIELD_AFTER_NAME]);
  }

  @Test
  void goesFirstForAWhile() throws IOException {
    assumeTrue(Threads.nice((int) process.pid(), -1), "needs CAP_SYS_NICE");

    ThreadFavour.set(process.pid(), true);
    assertThat(nice()).isEqualTo(-20);

    ThreadFavour.set(process.pid(), false);
    assertThat(nice()).isZero();
  }

  @Test
  void aProcessThatHasEndedIsNoError() throws InterruptedException {
    process.destroyForcibly().waitFor();

    assertThatCode(() -> ThreadFavour.set(process.pid(), true)).doesNotThrowAnyException();
  }
}
