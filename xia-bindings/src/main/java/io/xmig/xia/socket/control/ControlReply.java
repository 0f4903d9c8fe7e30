package io.xmig.xia.socket.control;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * An answer of Click's ControlSocket.
 *
 * <pre>
 * 520-Write handler 'router0/xrc/n/proc/rt_AD.add' error:
 * 520 duplicate XID:
 *
 * 200 Read handler 'router0/xrc/n/proc/rt_AD.list' OK
 * DATA 9
 * (9 bytes, nothing after them)
 * </pre>
 *
 * @param code 200 done, 220 done with warnings, 5xx failed
 * @param message the text of all lines without their codes
 * @param data what a READ gave, else empty
 * @source docs/click.md section 4
 */
public record ControlReply(int code, String message, byte[] data) {
  /** First line that the server sends, without its version number. */
  public static final String BANNER = "Click::ControlSocket/";

  static final int MAX_LINE = 4096;
  static final int MAX_LINES = 1000;
  static final int MAX_DATA = 16 << 20;

  /** Whether the command was carried out. */
  public boolean ok() {
    return code == 200 || code == 220;
  }

  /** The data as text. */
  public String text() {
    return new String(data, StandardCharsets.ISO_8859_1);
  }

  /**
   * Reads and checks the server's greeting.
   *
   * @return it
   * @throws IOException when it is no ControlSocket, or of another major version than 1
   */
  public static String readBanner(InputStream in) throws IOException {
    String line = readLine(in);
    if (!line.startsWith(BANNER)) {
      throw new IOException("no Click ControlSocket answers there, but '" + clip(line) + "'");
    }
    String version = line.substring(BANNER.length());
    if (!version.startsWith("1.")) {
      throw new IOException("ControlSocket version " + clip(version) + ", expected 1.x");
    }
    return line;
  }

  /**
   * Reads one answer.
   *
   * @param expectData whether the command was a READ, whose success is followed by data
   */
  public static ControlReply read(InputStream in, boolean expectData) throws IOException {
    StringBuilder message = new StringBuilder();
    int code;
    int lines = 0;
    while (true) {
      String line = readLine(in);
      if (++lines > MAX_LINES) {
        throw new IOException("ControlSocket answer of more than " + MAX_LINES + " lines");
      }
      if (line.length() < 3 || !line.substring(0, 3).chars().allMatch(c -> c >= '0' && c <= '9')) {
        throw new IOException("unreadable ControlSocket answer '" + clip(line) + "'");
      }
      code = Integer.parseInt(line.substring(0, 3));
      if (message.length() > 0) {
        message.append('\n');
      }
      message.append(line.length() > 4 ? line.substring(4) : "");
      if (line.length() < 4 || line.charAt(3) != '-') {
        break;
      }
    }
    byte[] data = {};
    if (expectData && (code == 200 || code == 220)) {
      String line = readLine(in);
      if (!line.matches("DATA [0-9]{1,9}")) {
        throw new IOException(
            "ControlSocket answer without DATA and a length, but '" + clip(line) + "'");
      }
      int length = Integer.parseInt(line.substring(5));
      if (length > MAX_DATA) {
        throw new IOException("ControlSocket data of " + length + " bytes, limit " + MAX_DATA);
      }
      data = in.readNBytes(length);
      if (data.length < length) {
        throw new EOFException("ControlSocket closed in the middle of its data");
      }
    }
    return new ControlReply(code, message.toString(), data);
  }

  private static String readLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int c = in.read();
      if (c < 0) {
        throw new EOFException("ControlSocket closed the connection");
      }
      if (c == '\n') {
        int end = line.length();
        return end > 0 && line.charAt(end - 1) == '\r'
            ? line.substring(0, end - 1)
            : line.toString();
      }
      if (line.length() >= MAX_LINE) {
        throw new IOException("ControlSocket line longer than " + MAX_LINE + " characters");
      }
      line.append((char) c);
    }
  }

  private static String clip(String text) {
    return text.length() > 80 ? text.substring(0, 80) + "…" : text;
  }
}
