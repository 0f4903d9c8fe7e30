package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The Xsocket API for Java, event-driven: one XIA protocol stack as an application sees it, be it
 * the embedded node in this process, a node in another process, or the prototype behind {@code
 * libXsocket}.
 *
 * <p>Nothing here blocks. What takes a round trip to the stack returns a {@link CompletableFuture}
 * that completes on the {@link #loop}; it fails with a {@link XiaSocketException} that says why.
 *
 * @threading all methods on {@link #loop}, except {@link #loop} and {@link #capabilities}
 */
public interface XiaStack extends AutoCloseable {
  /** The loop of this stack. */
  EventLoop loop();

  /** What this stack can do. */
  StackCapabilities capabilities();

  /** Where the host is now. C counterpart: {@code XreadLocalHostAddr}. */
  LocalAddress localAddress();

  /** Calls {@code listener} after every change of {@link #localAddress}; the result undoes this. */
  Runnable onAddressChange(Consumer<LocalAddress> listener);

  /**
   * Calls {@code listener} when a link of the node sees a sign of mobility; signs repeat. The
   * result undoes this.
   */
  Runnable onLinkEvent(Consumer<LinkEvent> listener);

  /**
   * Moves the host to another administrative domain: bound sockets keep their SIDs and get the new
   * address, open connections announce it to their peers. C counterpart: {@code XupdateAD}.
   */
  CompletableFuture<Void> updateAd(Xid ad, @Nullable Xid fourId);

  /**
   * The DAG of the name server, or {@code null} if none is known. C: {@code XreadNameServerDAG}.
   */
  CompletableFuture<@Nullable Dag> nameServer();

  /** Sets the DAG of the name server. C: {@code XupdateNameServerDAG}. */
  CompletableFuture<Void> updateNameServer(Dag nameServer);

  /**
   * Accepts connections to a service. C: {@code Xsocket(XSOCK_STREAM)}, {@code Xbind}, {@code
   * Xlisten}, {@code Xaccept}.
   *
   * @param sid service to bind; fails with {@link XiaSocketException.Kind#ADDRESS_IN_USE} if it is
   *     taken
   * @param backlog connections that may be waiting before further ones are refused
   * @param acceptor is given each connection and answers with the handler of its events
   */
  CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor);

  /**
   * Opens a connection. C: {@code Xsocket(XSOCK_STREAM)}, {@code Xconnect}.
   *
   * @param remote address of a service
   * @param timeout after which the attempt fails with {@link XiaSocketException.Kind#TIMED_OUT}
   */
  CompletableFuture<StreamConnection> connect(Dag remote, Duration timeout, StreamHandler handler);

  /**
   * The same with a local end of the caller's choice, which nobody may have bound. C: {@code
   * Xbind}, {@code Xconnect}.
   *
   * @param local SID of the local end
   */
  default CompletableFuture<StreamConnection> connectFrom(
      Xid local, Dag remote, Duration timeout, StreamHandler handler) {
    return CompletableFuture.failedFuture(
        new XiaSocketException(
            XiaSocketException.Kind.NODE, "this stack chooses the local end of a connection"));
  }

  /**
   * Opens a datagram socket. C: {@code Xsocket(XSOCK_DGRAM)}, {@code Xbind}.
   *
   * @param sid service to bind, or {@code null} for an ephemeral one
   */
  CompletableFuture<DatagramSocket> openDatagram(@Nullable Xid sid, DatagramHandler handler);

  /**
   * Opens a socket that hears the node's XCMP messages and may send them. C: {@code
   * Xsocket(XSOCK_RAW)}, {@code Xsetsockopt(XOPT_NEXT_PROTO, XPROTO_XCMP)}.
   */
  CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler);

  /** Allocates a part of the content cache. C: {@code XallocCacheSlice}. */
  CompletableFuture<CacheSlice> allocateSlice(SliceOptions options);

  /** Opens a socket that fetches chunks. C: {@code Xsocket(XSOCK_CHUNK)}. */
  CompletableFuture<ChunkSocket> openChunks();

  /**
   * Calls a read handler of the node by its Click path, e.g. {@code HOST_A/xrc/n/proc/rt_HID.list};
   * a path that starts with {@code ./} means the node of this stack.
   */
  CompletableFuture<String> readHandler(String path);

  /**
   * Calls a write handler of the node, e.g. {@code ./xrc/n/proc/rt_HID.set4} with {@code
   * XID,port,next,flags}.
   */
  CompletableFuture<Void> writeHandler(String path, String value);

  /** Closes every socket of this stack object; a node it only talks to goes on running. */
  @Override
  void close();
}
