package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What our library has and the prototype's has not; of use with a node of ours only.
 *
 * @source local choice, docs/xsocket-api.md part C
 */
final class Extensions {
  private static final List<String> FUNCTIONS =
      List.of("Xflowcontrol", "XrequestDelivery", "XtakeChunk");

  private static boolean mapped;

  private Extensions() {}

  /**
   * Bytes of the window that the node offers on a socket; 0 with the prototype on either side.
   *
   * @param library that was loaded before
   */
  static synchronized int window(String library, int fd) {
    if (!mapped) {
      NativeLibrary loaded = LibraryCheck.open(library);
      if (!FUNCTIONS.stream().allMatch(f -> LibraryCheck.has(loaded, f))) {
        return 0;
      }
      Native.register(Raw.class, loaded);
      mapped = true;
    }
    return Math.max(0, Raw.Xflowcontrol(fd));
  }

  static void requestDelivery(int fd, Pointer chunks, int count, int first)
      throws LastErrorException {
    if (Raw.XrequestDelivery(fd, chunks, count, first) < 0) {
      throw new LastErrorException(Native.getLastError());
    }
  }

  /**
   * Takes the next chunk that is delivered.
   *
   * @param number is set to that of the chunk, −1 if the call is not about a chunk
   * @return its length, 0 if none came in time, −errno if it cannot be had or the call failed
   */
  static int takeChunk(int fd, ByteBuffer target, IntByReference number, int timeoutMs) {
    int length = Raw.XtakeChunk(fd, target, target.capacity(), number, timeoutMs);
    return length < 0 ? -Native.getLastError() : length;
  }

  /** The C functions themselves. */
  private static final class Raw {
    private Raw() {}

    static native int Xflowcontrol(int sockfd);

    static native int XrequestDelivery(int sockfd, Pointer chunks, int count, int first);

    static native int XtakeChunk(
        int sockfd, ByteBuffer buf, long len, IntByReference number, int timeoutMs);
  }
}
