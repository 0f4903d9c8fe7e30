package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
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
    Native.register(Raw.class, LibraryCheck.open(path));
    loaded = path;
  }

  public static int Xsocket(int family, int type, int protocol) throws LastErrorException {
    return checked(Raw.Xsocket(family, type, protocol));
  }

  public static int Xbind(int sockfd, Pointer addr, int addrlen) throws LastErrorException {
    return checked(Raw.Xbind(sockfd, addr, addrlen));
  }

  public static int Xconnect(int sockfd, Pointer addr, int addrlen) throws LastErrorException {
    return checked(Raw.Xconnect(sockfd, addr, addrlen));
  }

  /** {@code addr} and {@code addrlen} may both be {@code null}. */
  public static int Xaccept(int sockfd, Pointer addr, IntByReference addrlen)
      throws LastErrorException {
    return checked(Raw.Xaccept(sockfd, addr, addrlen));
  }

  public static int Xaccept4(int sockfd, Pointer addr, IntByReference addrlen, int flags)
      throws LastErrorException {
    return checked(Raw.Xaccept4(sockfd, addr, addrlen, flags));
  }

  public static int Xsend(int sockfd, ByteBuffer buf, long len, int flags)
      throws LastErrorException {
    return checked(Raw.Xsend(sockfd, buf, len, flags));
  }

  public static int Xrecv(int sockfd, ByteBuffer buf, long len, int flags)
      throws LastErrorException {
    return checked(Raw.Xrecv(sockfd, buf, len, flags));
  }

  public static int Xsendto(
      int sockfd, ByteBuffer buf, long len, int flags, Pointer addr, int addrlen)
      throws LastErrorException {
    return checked(Raw.Xsendto(sockfd, buf, len, flags, addr, addrlen));
  }

  public static int Xrecvfrom(
      int sockfd, ByteBuffer buf, long len, int flags, Pointer addr, IntByReference addrlen)
      throws LastErrorException {
    return checked(Raw.Xrecvfrom(sockfd, buf, len, flags, addr, addrlen));
  }

  public static int Xclose(int sockfd) throws LastErrorException {
    return checked(Raw.Xclose(sockfd));
  }

  public static int Xsetsockopt(int sockfd, int opt, IntByReference value, int len)
      throws LastErrorException {
    return checked(Raw.Xsetsockopt(sockfd, opt, value, len));
  }

  public static int Xgetsockopt(int sockfd, int opt, IntByReference value, IntByReference len)
      throws LastErrorException {
    return checked(Raw.Xgetsockopt(sockfd, opt, value, len));
  }

  public static int Xgetpeername(int sockfd, Pointer addr, IntByReference addrlen)
      throws LastErrorException {
    return checked(Raw.Xgetpeername(sockfd, addr, addrlen));
  }

  public static int Xgetsockname(int sockfd, Pointer addr, IntByReference addrlen)
      throws LastErrorException {
    return checked(Raw.Xgetsockname(sockfd, addr, addrlen));
  }

  public static int XreadLocalHostAddr(
      int sockfd, byte[] ad, int adLen, byte[] hid, int hidLen, byte[] ip4, int ip4Len)
      throws LastErrorException {
    return checked(Raw.XreadLocalHostAddr(sockfd, ad, adLen, hid, hidLen, ip4, ip4Len));
  }

  public static int XupdateAD(int sockfd, String ad, String ip4) throws LastErrorException {
    return checked(Raw.XupdateAD(sockfd, ad, ip4));
  }

  public static int XupdateNameServerDAG(int sockfd, String dag) throws LastErrorException {
    return checked(Raw.XupdateNameServerDAG(sockfd, dag));
  }

  /** −1 without an error number if no name server is set. */
  public static int XreadNameServerDAG(int sockfd, Pointer addr) {
    return Raw.XreadNameServerDAG(sockfd, addr);
  }

  public static int XisDualStackRouter(int sockfd) throws LastErrorException {
    return checked(Raw.XisDualStackRouter(sockfd));
  }

  /** −1 without an error number if the name is not known. */
  public static int XgetDAGbyName(String name, Pointer addr, IntByReference addrlen) {
    return Raw.XgetDAGbyName(name, addr, addrlen);
  }

  public static int XregisterName(String name, Pointer addr) throws LastErrorException {
    return checked(Raw.XregisterName(name, addr));
  }

  /** Returns 0 or an {@code EAI_} code; the result is freed with {@link #Xfreeaddrinfo}. */
  public static int Xgetaddrinfo(
      String name, String service, Pointer hints, PointerByReference result) {
    return Raw.Xgetaddrinfo(name, service, hints, result);
  }

  public static void Xfreeaddrinfo(Pointer result) {
    Raw.Xfreeaddrinfo(result);
  }

  public static String Xgai_strerror(int code) {
    return Raw.Xgai_strerror(code);
  }

  /** Returns {@code NULL} on failure; freed with {@link #XfreeCacheSlice}. */
  public static Pointer XallocCacheSlice(int policy, int ttl, int size) {
    return Raw.XallocCacheSlice(policy, ttl, size);
  }

  public static int XfreeCacheSlice(Pointer context) throws LastErrorException {
    return checked(Raw.XfreeCacheSlice(context));
  }

  public static int XputChunk(Pointer context, ByteBuffer data, int length, Pointer info)
      throws LastErrorException {
    return checked(Raw.XputChunk(context, data, length, info));
  }

  public static int XputBuffer(
      Pointer context, ByteBuffer data, int length, int chunkSize, PointerByReference infos)
      throws LastErrorException {
    return checked(Raw.XputBuffer(context, data, length, chunkSize, infos));
  }

  public static int XputFile(Pointer context, String path, int chunkSize, PointerByReference infos)
      throws LastErrorException {
    return checked(Raw.XputFile(context, path, chunkSize, infos));
  }

  public static void XfreeChunkInfo(Pointer infos) {
    Raw.XfreeChunkInfo(infos);
  }

  public static int XremoveChunk(Pointer context, String cid) throws LastErrorException {
    return checked(Raw.XremoveChunk(context, cid));
  }

  public static int XrequestChunk(int sockfd, String dag, long dagLen) throws LastErrorException {
    return checked(Raw.XrequestChunk(sockfd, dag, dagLen));
  }

  public static int XrequestChunks(int sockfd, Pointer chunks, int count)
      throws LastErrorException {
    return checked(Raw.XrequestChunks(sockfd, chunks, count));
  }

  public static int XgetChunkStatus(int sockfd, String dag, long dagLen) throws LastErrorException {
    return checked(Raw.XgetChunkStatus(sockfd, dag, dagLen));
  }

  public static int XgetChunkStatuses(int sockfd, Pointer statuses, int count)
      throws LastErrorException {
    return checked(Raw.XgetChunkStatuses(sockfd, statuses, count));
  }

  public static int XreadChunk(
      int sockfd, ByteBuffer buf, long len, int flags, String dag, long dagLen)
      throws LastErrorException {
    return checked(Raw.XreadChunk(sockfd, buf, len, flags, dag, dagLen));
  }

  /** The same with a text that is in native memory already, terminated. */
  public static int XreadChunk(
      int sockfd, ByteBuffer buf, long len, int flags, Pointer dag, long dagLen)
      throws LastErrorException {
    return checked(Raw.XreadChunk(sockfd, buf, len, flags, dag, dagLen));
  }

  public static int set_conf(String file, String section) {
    return Raw.set_conf(file, section);
  }

  /**
   * A call has failed if it says so; what it leaves in {@code errno} otherwise is of no account,
   * and the prototype's library leaves much there.
   */
  private static int checked(int result) {
    if (result < 0) {
      throw new LastErrorException(Native.getLastError());
    }
    return result;
  }

  /** The C functions themselves. */
  static final class Raw {
    private Raw() {}

    static native int Xsocket(int family, int type, int protocol);

    static native int Xbind(int sockfd, Pointer addr, int addrlen);

    static native int Xconnect(int sockfd, Pointer addr, int addrlen);

    static native int Xaccept(int sockfd, Pointer addr, IntByReference addrlen);

    static native int Xaccept4(int sockfd, Pointer addr, IntByReference addrlen, int flags);

    static native int Xsend(int sockfd, ByteBuffer buf, long len, int flags);

    static native int Xrecv(int sockfd, ByteBuffer buf, long len, int flags);

    static native int Xsendto(
        int sockfd, ByteBuffer buf, long len, int flags, Pointer addr, int addrlen);

    static native int Xrecvfrom(
        int sockfd, ByteBuffer buf, long len, int flags, Pointer addr, IntByReference addrlen);

    static native int Xclose(int sockfd);

    static native int Xsetsockopt(int sockfd, int opt, IntByReference value, int len);

    static native int Xgetsockopt(int sockfd, int opt, IntByReference value, IntByReference len);

    static native int Xgetpeername(int sockfd, Pointer addr, IntByReference addrlen);

    static native int Xgetsockname(int sockfd, Pointer addr, IntByReference addrlen);

    static native int XreadLocalHostAddr(
        int sockfd, byte[] ad, int adLen, byte[] hid, int hidLen, byte[] ip4, int ip4Len);

    static native int XupdateAD(int sockfd, String ad, String ip4);

    static native int XupdateNameServerDAG(int sockfd, String dag);

    static native int XreadNameServerDAG(int sockfd, Pointer addr);

    static native int XisDualStackRouter(int sockfd);

    static native int XgetDAGbyName(String name, Pointer addr, IntByReference addrlen);

    static native int XregisterName(String name, Pointer addr);

    static native int Xgetaddrinfo(
        String name, String service, Pointer hints, PointerByReference result);

    static native void Xfreeaddrinfo(Pointer result);

    static native String Xgai_strerror(int code);

    static native Pointer XallocCacheSlice(int policy, int ttl, int size);

    static native int XfreeCacheSlice(Pointer context);

    static native int XputChunk(Pointer context, ByteBuffer data, int length, Pointer info);

    static native int XputBuffer(
        Pointer context, ByteBuffer data, int length, int chunkSize, PointerByReference infos);

    static native int XputFile(
        Pointer context, String path, int chunkSize, PointerByReference infos);

    static native void XfreeChunkInfo(Pointer infos);

    static native int XremoveChunk(Pointer context, String cid);

    static native int XrequestChunk(int sockfd, String dag, long dagLen);

    static native int XrequestChunks(int sockfd, Pointer chunks, int count);

    static native int XgetChunkStatus(int sockfd, String dag, long dagLen);

    static native int XgetChunkStatuses(int sockfd, Pointer statuses, int count);

    static native int XreadChunk(
        int sockfd, ByteBuffer buf, long len, int flags, String dag, long dagLen);

    static native int XreadChunk(
        int sockfd, ByteBuffer buf, long len, int flags, Pointer dag, long dagLen);

    static native int set_conf(String file, String section);
  }
}
