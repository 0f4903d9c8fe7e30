package io.xmig.xia.socket.api;

import com.google.protobuf.ByteString;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The cache slice behind one context identifier of a program; allocated with the first chunk put
 * into it.
 */
final class ApiSlice implements AutoCloseable {
  private static final int POLICY_LRU = 1;
  private static final int POLICY_FIFO = 2;
  private static final int REMOVE_ON_EXIT = 0x1000;
  private static final int ENOSPC = 28;

  private final LocalApi api;
  private @Nullable CompletableFuture<CacheSlice> slice;
  private int port;
  private boolean retain = true;

  ApiSlice(LocalApi api) {
    this.api = api;
  }

  void put(int fromPort, XSocketMsg.XPutchunk request) {
    port = fromPort;
    if (slice == null) {
      slice = api.stack().allocateSlice(options(request));
    }
    ByteString payload = request.getPayload();
    Xid cid = Cid.of(payload.asReadOnlyByteBuffer());
    slice
        .thenCompose(s -> s.put(cid, payload.asReadOnlyByteBuffer()))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                api.result(fromPort, MsgType.XPUTCHUNK, -1, ENOSPC);
              } else {
                api.reply(fromPort, answer(request, cid, !api.isOurs(fromPort)));
              }
            });
  }

  /**
   * @param echoed whether the chunk is sent back with its CID, as Click does
   */
  private static XSocketMsg.Builder answer(XSocketMsg.XPutchunk request, Xid cid, boolean echoed) {
    return XSocketMsg.newBuilder()
        .setType(MsgType.XPUTCHUNK)
        .setXPutchunk(
            XSocketMsg.XPutchunk.newBuilder()
                .setCachepolicy(0)
                .setCachesize(0)
                .setContextid(request.getContextid())
                .setTTL(request.getTTL())
                .setPayload(echoed ? request.getPayload() : ByteString.EMPTY)
                .setCid(cid.idHex())
                .setTimestamp(java.time.Instant.now().getEpochSecond()));
  }

  private SliceOptions options(XSocketMsg.XPutchunk request) {
    int policy = request.getCachepolicy();
    retain = (policy & REMOVE_ON_EXIT) == 0;
    SliceOptions.Policy evict =
        switch (policy & 0xfff) {
          case POLICY_LRU -> SliceOptions.Policy.LRU;
          case POLICY_FIFO -> SliceOptions.Policy.FIFO;
          default -> SliceOptions.Policy.LRU;
        };
    return new SliceOptions(
        evict,
        Integer.toUnsignedLong(request.getCachesize()),
        Duration.ofSeconds(Integer.toUnsignedLong(request.getTTL())),
        retain);
  }

  void remove(Xid cid) {
    if (slice != null) {
      slice.thenAccept(s -> s.remove(cid));
    }
  }

  /** Whether this slice goes with the socket on that port; if so it is closed. */
  boolean ownerClosed(int closedPort) {
    if (closedPort != port || retain) {
      return false;
    }
    close();
    return true;
  }

  @Override
  public void close() {
    if (slice != null) {
      slice.thenAccept(CacheSlice::close);
    }
  }
}
