package io.xmig.xia.click;

import io.xmig.xia.click.HandlerTree.Handler;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to Click's ControlSocket, without the socket: bytes in, bytes out. Commands may
 * arrive in pieces of any size and several at once.
 *
 * <pre>
 *   READ h [args] · READDATA h n · READUNTIL h term     → 200 …, DATA n, n bytes
 *   WRITE h args · WRITEDATA h n · WRITEUNTIL h term    → 200 … or 520-…, 520 why
 *   CHECKREAD h · CHECKWRITE h · HELP · QUIT
 * </pre>
 *
 * <p>Lines end in CR, LF or CRLF; answers in CRLF. A line longer than {@value #MAX_LINE} bytes ends
 * the session, data larger than {@value #MAX_DATA} bytes are skipped and answered with 521.
 *
 * @threading one thread, the one on which the handlers may be called
 * @source XIA prototype v1.1, docs/click.md
 */
public final class ControlSession {
  /** Longest command line. */
  public static final int MAX_LINE = 65_536;

  /** Largest value written with WRITEDATA or WRITEUNTIL. */
  public static final int MAX_DATA = 1 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(ControlSession.class);
  private static final String BANNER = "Click::ControlSocket/1.3\r\n";

  private enum State {
    LINE,
    COUNTED_DATA,
    DATA_UNTIL,
    CLOSED
  }

  /** A command that waits for its data. */
  private record Pending(boolean isWrite, String handler, String terminator) {}

  private final HandlerTree tree;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(256);
  private final ByteArrayOutputStream data = new ByteArrayOutputStream(256);
  private ByteArrayOutputStream out = new ByteArrayOutputStream(256);
  private State state = State.LINE;
  private boolean skipLineFeed;
  private boolean tooLarge;
  private long missing;
  private Pending pending = new Pending(false, "", "");

  public ControlSession(HandlerTree tree) {
    this.tree = tree;
  }

  /** What the server says when a connection opens. */
  public static byte[] banner() {
    return BANNER.getBytes(StandardCharsets.US_ASCII);
  }

  /** Whether the peer said QUIT or broke the rules; the connection is to be closed. */
  public boolean isClosed() {
    return state == State.CLOSED;
  }

  /**
   * Takes what arrived, position to limit, and executes every command that is complete.
   *
   * @return the answers, possibly none
   */
  public byte[] receive(ByteBuffer in) {
    while (in.hasRemaining() && state != State.CLOSED) {
      if (skipLineFeed) {
        skipLineFeed = false;
        if (in.get(in.position()) == '\n') {
          in.get();
          continue;
        }
      }
      if (state == State.COUNTED_DATA) {
        takeCounted(in);
      } else {
        takeByteOfLine(in.get());
      }
    }
    in.position(in.limit());
    byte[] answers = out.toByteArray();
    out = new ByteArrayOutputStream(256);
    return answers;
  }

  private void takeCounted(ByteBuffer in) {
    int take = (int) Math.min(missing, in.remaining());
    if (!tooLarge) {
      byte[] bytes = new byte[take];
      in.get(bytes);
      data.writeBytes(bytes);
    } else {
      in.position(in.position() + take);
    }
    missing -= take;
    if (missing == 0) {
      finishData();
    }
  }

  private void takeByteOfLine(byte b) {
    if (b == '\n' || b == '\r') {
      skipLineFeed = b == '\r';
      String text = line.toString(StandardCharsets.UTF_8);
      line.reset();
      if (state == State.DATA_UNTIL) {
        takeLineOfData(text);
      } else {
        execute(text);
      }
    } else if (line.size() == MAX_LINE) {
      answer(500, "Line longer than " + MAX_LINE + " bytes");
      state = State.CLOSED;
    } else {
      line.write(b);
    }
  }

  private void takeLineOfData(String text) {
    if (text.equals(pending.terminator)) {
      finishData();
    } else if (data.size() + text.length() + 1 > MAX_DATA) {
      tooLarge = true;
    } else {
      data.writeBytes((text + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  private void finishData() {
    state = State.LINE;
    String text = data.toString(StandardCharsets.UTF_8);
    data.reset();
    if (tooLarge) {
      answer(521, "Data too large, more than " + MAX_DATA + " bytes");
    } else if (pending.isWrite) {
      write(pending.handler, text);
    } else {
      read(pending.handler, text);
    }
    tooLarge = false;
  }

  private void execute(String text) {
    String[] words = text.strip().split("\\s+");
    if (words[0].isEmpty()) {
      return;
    }
    int count = words.length - 1;
    String handler = count > 0 ? words[1] : "";
    switch (words[0].toUpperCase(Locale.ROOT)) {
      case "READ" -> when(count >= 1, () -> read(handler, rest(text)));
      case "WRITE" -> when(count >= 1, () -> write(handler, rest(text)));
      case "READDATA" -> when(count == 2, () -> await(false, handler, words[2]));
      case "WRITEDATA" -> when(count == 2, () -> await(true, handler, words[2]));
      case "READUNTIL" -> when(count <= 2 && count > 0, () -> awaitLine(false, words));
      case "WRITEUNTIL" -> when(count <= 2 && count > 0, () -> awaitLine(true, words));
      case "CHECKREAD" -> when(count == 1, () -> check(handler, false));
      case "CHECKWRITE" -> when(count == 1, () -> check(handler, true));
      case "HELP" -> help();
      case "QUIT" -> {
        answer(200, "Goodbye!");
        state = State.CLOSED;
      }
      default -> answer(501, "Command '" + words[0] + "' unimplemented");
    }
  }

  private void when(boolean argumentsFit, Runnable command) {
    if (argumentsFit) {
      command.run();
    } else {
      answer(500, "Wrong number of arguments");
    }
  }

  /** What follows the second word and the white space behind it. */
  private static String rest(String line) {
    String[] parts = line.strip().split("\\s+", 3);
    return parts.length > 2 ? parts[2] : "";
  }

  private void await(boolean isWrite, String handler, String count) {
    long bytes = count.matches("[0-9]{1,18}") ? Long.parseLong(count) : -1;
    if (bytes < 0) {
      answer(500, "Syntax error in '" + (isWrite ? "WRITEDATA" : "READDATA") + "'");
      return;
    }
    pending = new Pending(isWrite, handler, "");
    missing = bytes;
    tooLarge = bytes > MAX_DATA;
    state = State.COUNTED_DATA;
    if (bytes == 0) {
      finishData();
    }
  }

  private void awaitLine(boolean isWrite, String[] words) {
    pending = new Pending(isWrite, words[1], words.length > 2 ? words[2] : "");
    state = State.DATA_UNTIL;
  }

  private void read(String name, String arguments) {
    Handler handler = find(name);
    if (handler == null) {
      return;
    }
    if (!handler.isReadable()) {
      answer(530, "Handler '" + name + "' write-only");
      return;
    }
    String value;
    try {
      value = handler.read(arguments);
    } catch (HandlerException e) {
      refuse("Read", name, e);
      return;
    } catch (RuntimeException e) {
      fail(name, e);
      return;
    }
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    answer(200, "Read handler '" + name + "' OK");
    out.writeBytes(("DATA " + bytes.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(bytes);
  }

  private void write(String name, String value) {
    Handler handler = find(name);
    if (handler == null) {
      return;
    }
    if (!handler.isWritable()) {
      answer(530, "Handler '" + name + "' read-only");
      return;
    }
    try {
      handler.write(value);
    } catch (HandlerException e) {
      refuse("Write", name, e);
      return;
    } catch (RuntimeException e) {
      fail(name, e);
      return;
    }
    answer(200, "Write handler '" + name + "' OK");
  }

  private void check(String name, boolean forWriting) {
    Handler handler = find(name);
    if (handler == null) {
      return;
    }
    if (!(forWriting ? handler.isWritable() : handler.isReadable())) {
      answer(511, "Handler '" + name + "' not " + (forWriting ? "writable" : "readable"));
    } else {
      answer(200, (forWriting ? "Write" : "Read") + " handler '" + name + "' OK");
    }
  }

  /** The handler of this path; if there is none, the peer has been told. */
  private @Nullable Handler find(String path) {
    int dot = path.lastIndexOf('.');
    String element = dot < 0 ? "" : path.substring(0, dot);
    if (!tree.hasElement(element)) {
      answer(510, "No element named '" + element + "'");
      return null;
    }
    Handler handler = tree.handler(element, path.substring(dot + 1));
    if (handler == null) {
      answer(511, "No handler named '" + path + "'");
    }
    return handler;
  }

  private void refuse(String access, String name, HandlerException e) {
    put("520-" + access + " handler '" + name + "' error:");
    String[] lines = String.valueOf(e.getMessage()).split("\r\n|\r|\n", -1);
    for (int i = 0; i < lines.length; i++) {
      put((i + 1 < lines.length ? "520-" : "520 ") + lines[i]);
    }
  }

  /** A handler has a fault; that must not end whoever feeds this session. */
  private void fail(String name, RuntimeException e) {
    LOG.error("handler failed: handler={}", name, e);
    answer(590, "Handler '" + name + "' failed: " + e.getClass().getSimpleName());
  }

  private void help() {
    put("200-Commands supported:");
    put("200-READ handler [arg...]    call read handler, return result");
    put("200-READDATA handler len     ditto, data as argument");
    put("200-READUNTIL handler term   ditto, data up to term as argument");
    put("200-WRITE handler [arg...]   call write handler");
    put("200-WRITEDATA handler len    ditto, data as argument");
    put("200-WRITEUNTIL handler term  ditto, data up to term as argument");
    put("200-CHECKREAD handler        check whether read handler exists");
    put("200-CHECKWRITE handler       check whether write handler exists");
    put("200 QUIT                     close connection");
  }

  private void answer(int code, String text) {
    put(code + " " + text);
  }

  private void put(String text) {
    out.writeBytes((text + "\r\n").getBytes(StandardCharsets.UTF_8));
  }
}
