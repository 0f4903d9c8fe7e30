package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;

/**
 * The functions of {@code Xsocket.h} release 1.1, mapped directly: same names, same parameters.
 * Lengths are those of the C interface ({@code size_t} is a {@code long}, {@code unsigned} and
 * {@code int} are {@code int}). A failing call throws {@link LastErrorException} with the {@code
 * errno}; functions that report failures in their own way say so.
 *
 * <p>Buffers are direct {@link ByteBuffer}s, used from their position on, or {@link Pointer}s; they
 * must stay reachable during the call. Nothing checks lengths against them: use {@link
 * SockaddrMemory} and the stack in this package unless you need the raw call.
 *
 * <p>One library per process: {@link #load} maps it once, a second path is refused.
 *
 * @threading as the library: one thread per socket for calls that wait, any for sends
 * @source XIA prototype v1.1, docs/xsocket-api.md part A
 */
public final class Xsocket {
  public static final int AF_XIA = 40;
  public static final int XSOCK_STREAM = 1;
  public static final int XSOCK_DGRAM = 2;
  public static final int XSOCK_RAW = 3;
  public static final int XSOCK_CHUNK = 4;

  /** Largest buffer of one send and nominally of one chunk. */
  public static final int XIA_MAXBUF = 15_600;

  public static final int REQUEST_FAILED = 1;
  public static final int WAITING_FOR_CHUNK = 2;
  public static final int READY_TO_READ = 4;
  public static final int INVALID_HASH = 8;

  public static final int POLICY_LRU = 1;
  public static final int POLICY_FIFO = 2;
  public static final int POLICY_REMOVE_ON_EXIT = 0x1000;
  public static final int POLICY_RETAIN_ON_EXIT = 0x2000;

  public static final int XOPT_HLIM = 1;
  public static final int XOPT_NEXT_PROTO = 2;
  public static final int XPROTO_XCMP = 0x3d;
  public static final int ECLICKCONTROL = 9999;

  public static final int XAI_DAGHOST = 4;
  public static final int XAI_XIDSERV = 0x400;

  private static String loaded = "";

  private Xsocket() {}

  /**
   * Maps the functions onto a library.
   *
   * @param path file name of the library, or its short name {@code Xsocket} to look it up
   * @throws LibXsocketException when it cannot be loaded, is for another machine, or lacks
   *     functions, with their names
   */
  public static synchronized void load(String path) {
    if (loaded.equals(path)) {
      return;
    }
    if (!loaded.isEmpty()) {
      throw new LibXsocketException(
          "one libXsocket per process", java.util.Map.of("loaded", loaded, "asked_for", path));
    }
    LibraryCheck check = LibraryCheck.of(path);
    check.requireUsable();
    Native.register(Xsocket.class, NativeLibrary.getInstance(path));
    loaded = path;
  }

  public static native int Xsocket(int family, int type, int protocol) throws LastErrorException;

  public static native int Xbind(int sockfd, Pointer addr, int addrlen) throws LastErrorException;

  public static native int Xconnect(int sockfd, Pointer addr, int addrlen)
      throws LastErrorException;

  /** {@code addr} and {@code addrlen} may both be {@code null}. */
  public static native int Xaccept(int sockfd, Pointer addr, IntByReference addrlen)
      throws LastErrorException;

  public static native int Xaccept4(int sockfd, Pointer addr, IntByReference addrlen, int flags)
      throws LastErrorException;

  public static native int Xsend(int sockfd, ByteBuffer buf, long len, int flags)
      throws LastErrorException;

  public static native int Xrecv(int sockfd, ByteBuffer buf, long len, int flags)
      throws LastErrorException;

  public static native int Xsendto(
      int sockfd, ByteBuffer buf, long len, int flags, Pointer addr, int addrlen)
      throws LastErrorException;

  public static native int Xrecvfrom(
      int sockfd, ByteBuffer buf, long len, int flags, Pointer addr, IntByReference addrlen)
      throws LastErrorException;

  public static native int Xclose(int sockfd) throws LastErrorException;

  public static native int Xsetsockopt(int sockfd, int opt, IntByReference value, int len)
      throws LastErrorException;

  public static native int Xgetsockopt(
      int sockfd, int opt, IntByReference value, IntByReference len) throws LastErrorException;

  public static native int Xgetpeername(int sockfd, Pointer addr, IntByReference addrlen)
      throws LastErrorException;

  public static native int Xgetsockname(int sockfd, Pointer addr, IntByReference addrlen)
      throws LastErrorException;

  public static native int XreadLocalHostAddr(
      int sockfd, byte[] ad, int adLen, byte[] hid, int hidLen, byte[] ip4, int ip4Len)
      throws LastErrorException;

  public static native int XupdateAD(int sockfd, String ad, String ip4) throws LastErrorException;

  public static native int XupdateNameServerDAG(int sockfd, String dag) throws LastErrorException;

  /** −1 without an error number if no name server is set. */
  public static native int XreadNameServerDAG(int sockfd, Pointer addr);

  public static native int XisDualStackRouter(int sockfd) throws LastErrorException;

  /** −1 without an error number if the name is not known. */
  public static native int XgetDAGbyName(String name, Pointer addr, IntByReference addrlen);

  public static native int XregisterName(String name, Pointer addr) throws LastErrorException;

  /** Returns 0 or an {@code EAI_} code; the result is freed with {@link #Xfreeaddrinfo}. */
  public static native int Xgetaddrinfo(
      String name, String service, Pointer hints, PointerByReference result);

  public static native void Xfreeaddrinfo(Pointer result);

  public static native String Xgai_strerror(int code);

  /** Returns {@code NULL} on failure; freed with {@link #XfreeCacheSlice}. */
  public static native Pointer XallocCacheSlice(int policy, int ttl, int size);

  public static native int XfreeCacheSlice(Pointer context) throws LastErrorException;

  public static native int XputChunk(Pointer context, ByteBuffer data, int length, Pointer info)
      throws LastErrorException;

  public static native int XputBuffer(
      Pointer context, ByteBuffer data, int length, int chunkSize, PointerByReference infos)
      throws LastErrorException;

  public static native int XputFile(
      Pointer context, String path, int chunkSize, PointerByReference infos)
      throws LastErrorException;

  public static native void XfreeChunkInfo(Pointer infos);

  public static native int XremoveChunk(Pointer context, String cid) throws LastErrorException;

  public static native int XrequestChunk(int sockfd, String dag, long dagLen)
      throws LastErrorException;

  public static native int XrequestChunks(int sockfd, Pointer chunks, int count)
      throws LastErrorException;

  public static native int XgetChunkStatus(int sockfd, String dag, long dagLen)
      throws LastErrorException;

  public static native int XgetChunkStatuses(int sockfd, Pointer statuses, int count)
      throws LastErrorException;

  public static native int XreadChunk(
      int sockfd, ByteBuffer buf, long len, int flags, String dag, long dagLen)
      throws LastErrorException;

  public static native int set_conf(String file, String section);
}
