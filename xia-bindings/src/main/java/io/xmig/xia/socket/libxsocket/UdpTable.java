package io.xmig.xia.socket.libxsocket;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The kernel's list of UDP sockets: says without a packet whether somebody serves a port, and
 * whether it is still the same process.
 */
final class UdpTable {
  /** Nobody has the port. */
  static final long NOBODY = 0;

  /** The list cannot be read here. */
  static final long UNKNOWN = -1;

  private static final List<Path> TABLES =
      List.of(Path.of("/proc/net/udp"), Path.of("/proc/net/udp6"));
  private static final int LOCAL_ADDRESS = 1;
  private static final int INODE = 9;

  private UdpTable() {}

  /** The inode of the socket on a local port: another one after a restart of its process. */
  static long ownerOf(int port) {
    String wanted = String.format(":%04X", port);
    try {
      for (Path table : TABLES) {
        if (!Files.exists(table) && table.endsWith("udp6")) {
          continue; // a kernel without IPv6
        }
        for (String line : Files.readAllLines(table, StandardCharsets.US_ASCII)) {
          String[] columns = line.strip().split("\\s+");
          if (columns.length > INODE && columns[LOCAL_ADDRESS].endsWith(wanted)) {
            return Long.parseLong(columns[INODE]);
          }
        }
      }
      return NOBODY;
    } catch (IOException | NumberFormatException e) {
      return UNKNOWN;
    }
  }
}
