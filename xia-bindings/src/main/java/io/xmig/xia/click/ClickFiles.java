package io.xmig.xia.click;

import io.xmig.xia.XiaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a Click file and the libraries it requires. */
final class ClickFiles implements ClickParser.Library {
  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_FILES = 16;

  /** The prototype's libraries, whose declarations are built in here. */
  private static final Set<String> BUILT_IN =
      Set.of("xia_router_lib.click", "xia_constants.click", "xia_address.click");

  private final @Nullable Path directory;
  private final Set<String> read = new HashSet<>();

  /**
   * @param directory where libraries are looked for, {@code null} for nowhere
   */
  ClickFiles(@Nullable Path directory) {
    this.directory = directory;
  }

  static ClickSource read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new XiaException(
            XiaException.Recovery.ABORT,
            "a Click file of more than 1 MiB",
            Map.of("file", file.toString()));
      }
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return new ClickSource(file.toString(), text);
    } catch (CharacterCodingException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT,
          "a Click file that is not UTF-8 text",
          Map.of("file", file.toString()),
          e);
    } catch (IOException e) {
      throw new XiaException(
          XiaException.Recovery.ABORT,
          "cannot read the Click file",
          Map.of("file", file.toString(), "reason", reason(e)),
          e);
    }
  }

  private static String reason(IOException e) {
    return e instanceof NoSuchFileException
        ? "there is no such file"
        : e instanceof AccessDeniedException ? "no permission" : String.valueOf(e.getMessage());
  }

  ClickScope parse(ClickSource source) {
    ClickScope top = new ClickScope(null);
    top.variables.putAll(ClickNames.CONSTANTS);
    new ClickParser(source, ClickClasses::isKnown, this).parseInto(top);
    return top;
  }

  @Override
  public void require(ClickArgument argument, ClickScope scope) {
    List<String> words = argument.words();
    if (words.size() != 2 || !words.get(0).equals("library")) {
      throw argument.error("expected require(library FILE)");
    }
    String name = words.get(1);
    Path file = directory == null ? null : directory.resolve(name).normalize();
    if (file == null || !file.startsWith(directory) || !Files.isRegularFile(file)) {
      if (!BUILT_IN.contains(name)) {
        throw argument.error(
            "no library '"
                + name
                + "' beside this file"
                + "; built in are "
                + String.join(", ", BUILT_IN.stream().sorted().toList()));
      }
      return;
    }
    if (read.size() >= MAX_FILES) {
      throw argument.error("more than " + MAX_FILES + " libraries");
    }
    if (read.add(file.toString())) {
      new ClickParser(read(file), ClickClasses::isKnown, this).parseInto(scope);
    }
  }
}
