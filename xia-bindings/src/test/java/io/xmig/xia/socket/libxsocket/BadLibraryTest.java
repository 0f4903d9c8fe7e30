package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Libraries that cannot be used are refused with a reason and a next step. */
@Timeout(300)
class BadLibraryTest {
  @TempDir Path directory;

  private Path write(byte[] bytes) throws IOException {
    return Files.write(directory.resolve("libXsocket.so"), bytes);
  }

  /** The head of a shared library for some machine, and nothing behind it. */
  private static byte[] elf(int bits, boolean bigEndian, int machine) {
    return ByteBuffer.allocate(64)
        .order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN)
        .put(new byte[] {0x7f, 'E', 'L', 'F', (byte) (bits / 32), (byte) (bigEndian ? 2 : 1), 1})
        .putShort(16, (short) 3)
        .putShort(18, (short) machine)
        .array();
  }

  @ParameterizedTest
  @CsvSource({
    "32, false, 3, x86",
    "32, false, 40, ARM",
    "64, true, 22, S/390",
    "64, false, 243, RISC-V",
    "64, false, 4711, ELF machine 4711",
    "32, false, 62, x86-64"
  })
  void oneForAnotherMachineIsNamedAndNotLoaded(
      int bits, boolean bigEndian, int machine, String name) throws Exception {
    Path file = write(elf(bits, bigEndian, machine));

    LibraryCheck check = LibraryCheck.of(file.toString());
    assertThat(check.problem())
        .contains(file.toString(), "another machine", name + ", " + bits + " bits", "ours");
    assertThatThrownBy(check::requireUsable)
        .isInstanceOf(LibXsocketException.class)
        .hasMessageContaining("another machine");
  }

  @Test
  void oneThatIsCutOffOrDamagedIsRefusedWithTheLoadersReason() throws Exception {
    int machine = System.getProperty("os.arch").equals("aarch64") ? 183 : 62;
    byte[] head = elf(64, false, machine);
    assertThat(LibraryCheck.of(write(head).toString()).problem())
        .contains("cannot load", "libxsocket:/path/libXsocket.so", "LD_LIBRARY_PATH");
    Random random = new Random(1);
    for (int i = 0; i < 50; i++) {
      byte[] damaged = new byte[2000];
      random.nextBytes(damaged);
      System.arraycopy(head, 0, damaged, 0, 20);
      Path file = Files.write(directory.resolve("damaged" + i + ".so"), damaged);
      assertThat(LibraryCheck.of(file.toString()).problem()).contains("cannot load");
    }
  }

  @Test
  void aDirectoryWithoutItAndAnEmptyFileAreSaid() throws Exception {
    Path none = directory.resolve("libXsocket.so");
    assertThat(LibraryFinder.find(directory.toString()).path()).isEqualTo(none.toString());
    assertThat(LibraryCheck.of(none.toString()).problem())
        .contains(none.toString(), "where is the prototype's libXsocket.so?");
    assertThat(LibraryCheck.of(write(new byte[0]).toString()).problem())
        .contains("is not a shared library");
  }

  private Path build(String name, String source, String... more) throws Exception {
    Path file = directory.resolve(name + ".c");
    Files.writeString(file, source);
    Path made = directory.resolve(name);
    List<String> command =
        new ArrayList<>(List.of("gcc", "-shared", "-fPIC", "-o", made.toString(), file.toString()));
    command.addAll(List.of(more));
    Process gcc;
    try {
      gcc = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      assumeThat(e).as("gcc is here").isNull();
      throw e;
    }
    String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(gcc.waitFor()).as(said).isZero();
    return made;
  }

  @Test
  void oneThatLacksFunctionsIsToldWhich() throws Exception {
    Path few =
        build(
            "few.so", "int Xsocket(int a, int b, int c) { return -1; } int Xbind() { return -1; }");

    LibraryCheck check = LibraryCheck.of(few.toString());
    assertThat(check.missing()).contains("Xconnect", "XreadChunk").doesNotContain("Xsocket");
    assertThat(check.problem()).contains("Xconnect", "not libXsocket of release 1.1", "ours");
  }

  /** Its {@code Xsocket} would otherwise be called by the library that is loaded after it. */
  @Test
  void theFunctionsOfOneThatWasRefusedAreNotThoseOfTheProcess() throws Exception {
    Path stranger = build("stranger.so", "int Xsocket_of_a_stranger(void) { return -1; }");

    assertThat(LibraryCheck.of(stranger.toString()).problem()).isNotNull();
    assertThatThrownBy(
            () -> NativeLibrary.getProcess().getGlobalVariableAddress("Xsocket_of_a_stranger"))
        .isInstanceOf(UnsatisfiedLinkError.class);
  }

  @Test
  void oneThatNeedsALibraryThatIsNotThereSaysWhichOne() throws Exception {
    Path needed = build("libdagaddr_test.so", "int dag(void) { return 1; }");
    Path needs =
        build(
            "needs.so",
            "int dag(void); int Xsocket(int a, int b, int c) { return dag(); }",
            "-L" + directory,
            "-l:libdagaddr_test.so");
    Files.delete(needed);

    assertThat(LibraryCheck.of(needs.toString()).problem())
        .contains("libdagaddr_test.so", "cannot open shared object file", "LD_LIBRARY_PATH");
  }
}
