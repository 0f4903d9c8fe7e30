package io.xmig.xia.socket.libxsocket;

import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What can be said about a library before a single function of it is called.
 *
 * @param path where it was looked for
 * @param problem why it cannot be used, with the next thing to try; {@code null} if it can
 * @param missing functions of the 1.1 interface that it lacks
 * @param newer functions of later releases that it has
 */
public record LibraryCheck(
    String path, @Nullable String problem, List<String> missing, List<String> newer) {
  /** Of {@code dlopen}; without RTLD_GLOBAL, which JNA would add. */
  private static final int RTLD_LAZY = 1;

  /** Macros in release 1.1, functions later. */
  private static final List<String> LATER =
      List.of(
          "Xlisten",
          "Xselect",
          "Xpoll",
          "XmakeNewSID",
          "XpushChunkto",
          "XgetNamebyDAG",
          "Xfork",
          "Xnotify");

  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
  private static final int ELF_CLASS = 4;
  private static final int ELF_DATA = 5;
  private static final int ELF_MACHINE = 18;
  private static final int MACHINE_X86_64 = 62;
  private static final int MACHINE_AARCH64 = 183;

  private static final Map<Integer, String> MACHINES =
      Map.of(
          3,
          "x86",
          8,
          "MIPS",
          21,
          "PowerPC 64",
          22,
          "S/390",
          40,
          "ARM",
          MACHINE_X86_64,
          "x86-64",
          MACHINE_AARCH64,
          "AArch64",
          243,
          "RISC-V");

  /**
   * Loads a library whose symbols stay its own: the calls inside of one that is used must not end
   * in another one that was only looked at.
   *
   * @throws UnsatisfiedLinkError if the loader refuses it
   */
  static NativeLibrary open(String path) {
    return NativeLibrary.getInstance(path, Map.of(Library.OPTION_OPEN_FLAGS, RTLD_LAZY));
  }

  /** Looks at a library; loads it into the process if it is for this machine. */
  public static LibraryCheck of(String path) {
    if (path.contains("/")) {
      String problem = problemOfFile(Path.of(path));
      if (problem != null) {
        return new LibraryCheck(path, problem, List.of(), List.of());
      }
    }
    NativeLibrary library;
    try {
      library = open(path);
    } catch (UnsatisfiedLinkError e) {
      return new LibraryCheck(
          path,
          "cannot load "
              + path
              + " ("
              + cause(e)
              + "); give its file name, --xia libxsocket:/path/libXsocket.so,"
              + " and put the libraries it needs into LD_LIBRARY_PATH",
          List.of(),
          List.of());
    }
    List<String> missing = new ArrayList<>();
    for (String function : functions()) {
      if (!has(library, function)) {
        missing.add(function);
      }
    }
    List<String> newer = LATER.stream().filter(f -> has(library, f)).toList();
    String problem =
        missing.isEmpty()
            ? null
            : path
                + " lacks "
                + missing
                + ": it is not libXsocket of release 1.1; name another one, --xia"
                + " libxsocket:/path/libXsocket.so, or ours, --xia libxsocket:ours";
    return new LibraryCheck(path, problem, missing, newer);
  }

  private static @Nullable String problemOfFile(Path file) {
    byte[] head = new byte[20];
    try (InputStream in = Files.newInputStream(file)) {
      if (in.readNBytes(head, 0, head.length) < head.length
          || !Arrays.equals(ELF, Arrays.copyOf(head, 4))) {
        return file + " is not a shared library";
      }
    } catch (IOException e) {
      return "cannot read "
          + file
          + ": "
          + e.getMessage()
          + "; where is the prototype's libXsocket.so?";
    }
    ByteBuffer elf =
        ByteBuffer.wrap(head)
            .order(head[ELF_DATA] == 2 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    int machine = Short.toUnsignedInt(elf.getShort(ELF_MACHINE));
    int bits = head[ELF_CLASS] == 2 ? 64 : 32;
    boolean fits =
        switch (System.getProperty("os.arch")) {
          case "amd64", "x86_64" -> machine == MACHINE_X86_64 && bits == 64;
          case "aarch64" -> machine == MACHINE_AARCH64 && bits == 64;
          default -> true;
        };
    return fits
        ? null
        : file
            + " is for another machine ("
            + MACHINES.getOrDefault(machine, "ELF machine " + machine)
            + ", "
            + bits
            + " bits; this is "
            + System.getProperty("os.arch")
            + "): build the prototype here, or take our library, --xia libxsocket:ours";
  }

  /** JNA says in the first line what it tried, and why it failed in the ones that follow. */
  private static String cause(UnsatisfiedLinkError e) {
    List<String> lines =
        String.valueOf(e.getMessage())
            .lines()
            .map(String::strip)
            .filter(l -> !l.isEmpty())
            .toList();
    return lines.isEmpty() ? "no reason given" : lines.get(Math.min(1, lines.size() - 1));
  }

  static boolean has(NativeLibrary library, String function) {
    try {
      library.getFunction(function);
      return true;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }

  private static List<String> functions() {
    return Arrays.stream(Xsocket.Raw.class.getDeclaredMethods())
        .filter(m -> Modifier.isNative(m.getModifiers()))
        .map(java.lang.reflect.Method::getName)
        .distinct()
        .sorted()
        .toList();
  }

  /** Throws if the library cannot be used. */
  public void requireUsable() {
    if (problem != null) {
      throw new LibXsocketException(problem, Map.of());
    }
  }
}
