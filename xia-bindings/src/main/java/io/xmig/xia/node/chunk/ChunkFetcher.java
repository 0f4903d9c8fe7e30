package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.node.congestion.CongestionControl;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.wire.ContentFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches chunks for the applications of this node: one {@link Fetch} per CID however many ask for
 * it, one {@link Flow} per remote host however many chunks come from there.
 *
 * @threading the node's loop
 */
final class ChunkFetcher {
  /** Why a fetch fails without an answer. */
  enum Failure {
    TIMED_OUT,
    UNREACHABLE
  }

  /** By identity: one outcome that a handler is about to be told. */
  private static final class Soon {
    final ChunkSocket socket;
    final Xid cid;

    Soon(ChunkSocket socket, Xid cid) {
      this.socket = socket;
      this.cid = cid;
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(ChunkFetcher.class);

  /** Flows remembered without chunks, with what they have learnt of their paths. */
  private static final int MAX_FLOWS = 256;

  private static final long FLOW_LIFE_NS = 60_000_000_000L;

  /** First word of the identifiers of ephemeral SIDs, docs/wire.md section 1. */
  private static final long EPHEMERAL_SID = 0x30000ff000000000L;

  private final TransportContext context;
  private final ContentCache cache;
  private final ChunkOptions options;
  private final ChunkCounters counters;
  private final CongestionControl.Provider policy;
  private final TransportContext.PacketReceiver receiver;
  private final RequestRing requests;
  private final EarlierRequests earlier = new EarlierRequests();
  private final Map<Xid, Fetch> fetches = new HashMap<>();
  private final Map<Xid, Flow> flows = new HashMap<>();

  /** Outcomes known at once, on their way to their handlers. */
  private final Set<Soon> soonest = new LinkedHashSet<>();

  private @Nullable Xid sid;
  private @Nullable Dag replyService;
  private @Nullable Dag replyHost;
  private @Nullable Dag replyNear;
  private @Nullable Runnable addressSubscription;
  private long nextOrder;
  private long reservedBytes;
  private boolean memoryShort;

  ChunkFetcher(
      TransportContext context,
      ContentCache cache,
      ChunkOptions options,
      ChunkCounters counters,
      TransportContext.PacketReceiver receiver) {
    this.context = context;
    this.cache = cache;
    this.options = options;
    this.counters = counters;
    this.receiver = receiver;
    this.policy = CongestionControl.provider(options.congestionControl());
    this.requests = new RequestRing(context.random().nextInt());
  }

  // ---- from applications ----

  void request(ChunkSocket socket, Dag address, int length, ChunkHandler handler) {
    Xid cid = address.intent();
    if (!cid.is(XidType.CID)) {
      failLater(
          socket,
          cid,
          handler,
          new XiaSocketException(
              XiaSocketException.Kind.BAD_ADDRESS,
              "not the address of a chunk",
              Map.of("address", address)));
      return;
    }
    if (length > options.maxChunkBytes()) {
      failLater(socket, cid, handler, tooLong(cid, length));
      return;
    }
    ContentCache.Entry entry = cache.lookup(cid);
    ByteBuffer data = entry == null ? null : entry.data();
    if (data != null) {
      counters.localHits++;
      ByteBuffer copy = options.allocator().apply(data.limit());
      copy.put(0, data, 0, data.limit()).position(0).limit(data.limit());
      later(socket, cid, () -> deliver(handler, cid, copy));
      return;
    }
    Fetch known = fetches.get(cid);
    if (known != null) {
      known.waiting.add(new Fetch.Waiting(socket, handler));
      redirect(known, address);
      return;
    }
    if (fetches.size() >= options.maxFetches()) {
      failLater(
          socket,
          cid,
          handler,
          new XiaSocketException(
              XiaSocketException.Kind.NO_SPACE,
              "too many chunks requested",
              Map.of("maxFetches", options.maxFetches())));
      return;
    }
    bindOnce();
    Flow flow = flowFor(address);
    Fetch fetch = new Fetch(cid, address, length, nextOrder++, context.nowNs(), flow);
    fetch.waiting.add(new Fetch.Waiting(socket, handler));
    fetches.put(cid, fetch);
    flow.remoteMovedTo(address);
    flow.add(fetch);
  }

  /** Runs what would call a handler within {@link #request} a moment later, unless cancelled. */
  private void later(ChunkSocket socket, Xid cid, Runnable task) {
    Soon soon = new Soon(socket, cid);
    soonest.add(soon);
    context.schedule(
        0,
        () -> {
          if (soonest.remove(soon)) {
            task.run();
          }
        });
  }

  /** A further request for a chunk may know better where it is. */
  private void redirect(Fetch fetch, Dag address) {
    if (address.equals(fetch.address)) {
      return;
    }
    Flow flow = flowFor(address);
    if (flow == fetch.flow) {
      flow.remoteMovedTo(address);
      fetch.address = address;
      return;
    }
    // What is outstanding at the old host may still be answered; it must not be waited for.
    fetch.flow.abandon(fetch);
    fetch.address = address;
    flow.add(fetch);
  }

  void cancel(ChunkSocket socket, Xid cid) {
    soonest.removeIf(s -> s.socket == socket && s.cid.equals(cid));
    Fetch fetch = fetches.get(cid);
    if (fetch != null && fetch.waiting.removeIf(w -> w.socket() == socket)) {
      dropIfUnwanted(fetch);
    }
  }

  void cancelAll(ChunkSocket socket) {
    soonest.removeIf(s -> s.socket == socket);
    for (Fetch fetch : List.copyOf(fetches.values())) {
      if (fetch.waiting.removeIf(w -> w.socket() == socket)) {
        dropIfUnwanted(fetch);
      }
    }
  }

  private void dropIfUnwanted(Fetch fetch) {
    if (fetch.waiting.isEmpty()) {
      Flow flow = fetch.flow;
      end(fetch);
      flow.pump();
      memoryFreed();
    }
  }

  /** Fails everything and lets go of the SID. */
  void close() {
    for (Fetch fetch : List.copyOf(fetches.values())) {
      finishWith(
          fetch,
          new XiaSocketException(
              XiaSocketException.Kind.CLOSED, "node closed", Map.of("cid", fetch.cid)));
    }
    flows.values().forEach(Flow::cancelTimers);
    flows.clear();
    if (addressSubscription != null) {
      addressSubscription.run();
      addressSubscription = null;
    }
    if (sid != null) {
      context.unbind(sid);
      sid = null;
    }
  }

  // ---- what flows need ----

  @Nullable RangeRequest newRequest() {
    return requests.next();
  }

  /** Where a v1.1 host sends its answer: a service of this host. */
  Dag replyService() {
    return java.util.Objects.requireNonNull(replyService, "bound");
  }

  /**
   * Where a host that knows the extensions sends its answer: this host. Content names itself, so no
   * service is needed, and within an AD no AD either.
   */
  Dag replyHost(boolean sameAd) {
    return java.util.Objects.requireNonNull(sameAd ? replyNear : replyHost, "bound");
  }

  /** Sets memory aside for a chunk of known length, as far as the limit allows. */
  boolean provideMemory(Fetch fetch) {
    if (!fetch.lengthKnown() || fetch.length == 0 || fetch.reserved) {
      return true;
    }
    if (reservedBytes > 0 && reservedBytes + fetch.length > options.maxReassemblyBytes()) {
      memoryShort = true;
      return false;
    }
    fetch.reserved = true;
    reservedBytes += fetch.length;
    return true;
  }

  void fail(Fetch fetch, Failure why) {
    if (fetch.done) {
      return;
    }
    XiaSocketException.Kind kind =
        why == Failure.TIMED_OUT
            ? XiaSocketException.Kind.TIMED_OUT
            : XiaSocketException.Kind.UNREACHABLE;
    finishWith(
        fetch,
        new XiaSocketException(
            kind,
            why == Failure.TIMED_OUT ? "no answer to chunk requests" : "no way to the chunk's host",
            Map.of(
                "cid", fetch.cid,
                "host", fetch.flow.host,
                "received", fetch.receivedBytes,
                "of", fetch.lengthKnown() ? fetch.length : "unknown")));
  }

  // ---- from the network ----

  /** A response or refusal for one of this node's requests. */
  void response(PacketView packet, ContentHeader header) {
    counters.segmentsReceived++;
    if (header.isRefusal) {
      refusal(packet, header);
      return;
    }
    Xid cid = packet.sourceIntent();
    int payload = packet.payloadOffset() + header.headerLength;
    if (header.opcode != ContentFlyweight.RESPONSE
        || !cid.is(XidType.CID)
        || header.length > packet.end() - payload
        || header.chunkOffset > header.chunkLength - header.length) {
      counters.malformed++;
      return;
    }
    RangeRequest r = header.isAnswer ? requests.find(header.serial) : null;
    if (r != null && (r.fetch == null || !r.fetch.cid.equals(cid))) {
      r = null;
      counters.strange++;
    }
    Fetch fetch = r != null ? r.fetch : fetches.get(cid);
    if (fetch == null) {
      counters.strange++;
      return;
    }
    int news = fetch.done ? 0 : store(fetch, packet.buffer(), payload, header);
    if (news < 0) {
      return;
    }
    counters.duplicateBytes += header.length - news;
    Flow flow = fetch.flow;
    if (r != null && r.flow == flow) {
      flow.onSegment(r, header.chunkOffset, header.length, news, packet.end() - packet.xipOffset());
    } else if (!header.isAnswer && !fetch.done) {
      flow.onPlainSegment(fetch, header.chunkOffset, header.length, news);
    }
    if (!fetch.done && fetch.isComplete()) {
      complete(fetch);
    } else {
      flow.pump();
    }
  }

  /**
   * Puts a segment where it belongs.
   *
   * @return bytes that were missing, −1 if the segment contradicts what is known
   */
  private int store(Fetch fetch, ByteBuffer in, int payload, ContentHeader header) {
    if (!fetch.lengthKnown()) {
      if (header.chunkLength > options.maxChunkBytes()) {
        finishWith(fetch, tooLong(fetch.cid, header.chunkLength));
        return -1;
      }
      fetch.length = header.chunkLength;
      fetch.flow.onLength(fetch);
    } else if (header.chunkLength != fetch.length) {
      counters.strange++;
      return -1;
    }
    if (!provideMemory(fetch)) {
      return 0; // comes again when there is memory
    }
    ByteBuffer buffer = fetch.buffer;
    if (buffer == null) {
      buffer = options.allocator().apply(fetch.length);
      fetch.buffer = buffer;
    }
    int offset = header.chunkOffset;
    int news = fetch.received.add(offset, offset + header.length);
    if (news == IntervalSet.TOO_MANY) {
      counters.strange++;
      return 0;
    }
    if (news > 0) {
      buffer.put(offset, in, payload, header.length);
      fetch.receivedBytes += news;
      fetch.lossesInARow = 0;
      fetch.progressNs = context.nowNs();
      counters.bytesFetched += news;
      if (!fetch.wanted.isEmpty()) {
        fetch.wanted.remove(offset, offset + header.length);
        fetch.flow.refreshReady(fetch);
      }
    }
    return news;
  }

  private void refusal(PacketView packet, ContentHeader header) {
    RangeRequest r = header.isAnswer ? requests.find(header.serial) : null;
    Fetch fetch = r == null ? null : r.fetch;
    if (fetch == null || fetch.done || !refusedCid(packet, header).equals(fetch.cid)) {
      counters.strange++;
      return;
    }
    notFound(fetch, packet.source());
  }

  private static Xid refusedCid(PacketView packet, ContentHeader header) {
    byte[] id = new byte[Xid.ID_LENGTH];
    packet.buffer().get(header.refusedCidOffset, id);
    return Xid.of(XidType.CID, id);
  }

  /** A request did not arrive, says somebody. */
  void undeliverable(TransportContext.DeliveryReport report) {
    Fetch fetch = fetches.get(report.intent());
    if (fetch == null || report.reason() == TransportContext.DeliveryReport.Reason.TOO_BIG) {
      return;
    }
    if (!isAboutRequestOf(fetch, report.quoted())) {
      counters.strange++;
      return;
    }
    Xid host = fetch.address.host();
    if (host != null && report.fromDestinationHost() && host.equals(report.destination().host())) {
      notFound(fetch, report.reporter());
      earlier.explains(fetch.cid, context.nowNs()); // this one was about one of those now left
    } else {
      fetch.flow.onUnreachable(context.nowNs());
    }
  }

  /** Whether an error is about a request of this fetch, not of an earlier one of the same chunk. */
  private boolean isAboutRequestOf(Fetch fetch, long quoted) {
    if (!ContentHeader.quotesSerial(quoted)) {
      return !earlier.explains(fetch.cid, context.nowNs());
    }
    RangeRequest r = requests.find(ContentHeader.quotedSerial(quoted));
    return r != null && r.fetch == fetch && r.flow == fetch.flow;
  }

  private void notFound(Fetch fetch, Dag reporter) {
    fetch.flow.onRefusal(fetch);
    finishWith(
        fetch,
        new XiaSocketException(
            XiaSocketException.Kind.NOT_FOUND,
            "the host does not have the chunk",
            Map.of("cid", fetch.cid, "host", reporter)));
  }

  // ---- endings ----

  private void complete(Fetch fetch) {
    ByteBuffer data = java.util.Objects.requireNonNull(fetch.buffer);
    Flow flow = fetch.flow;
    end(fetch);
    counters.chunksFetched++;
    List<Fetch.Waiting> waiting = List.copyOf(fetch.waiting);
    for (int i = 0; i < waiting.size(); i++) {
      ByteBuffer own = data;
      if (i + 1 < waiting.size()) {
        // An owner may change its buffer, so all but the last get copies.
        own = options.allocator().apply(fetch.length);
        own.put(0, data, 0, fetch.length);
      }
      own.position(0).limit(fetch.length);
      deliver(waiting.get(i).handler(), fetch.cid, own);
    }
    memoryFreed();
    flow.pump();
  }

  private void finishWith(Fetch fetch, XiaSocketException cause) {
    if (fetch.done) {
      return;
    }
    Flow flow = fetch.flow;
    end(fetch);
    counters.chunksFailed++;
    for (Fetch.Waiting w : List.copyOf(fetch.waiting)) {
      failed(w.handler(), fetch.cid, cause);
    }
    memoryFreed();
    flow.pump();
  }

  private void end(Fetch fetch) {
    fetch.done = true;
    if (fetch.flow.peer != Flow.Peer.EXTENDED) {
      earlier.ended(fetch.cid, fetch.outstanding, context.nowNs());
    }
    fetches.remove(fetch.cid);
    if (fetch.reserved) {
      fetch.reserved = false;
      reservedBytes -= fetch.length;
    }
    fetch.buffer = null;
    fetch.flow.remove(fetch);
  }

  private void memoryFreed() {
    if (memoryShort) {
      memoryShort = false;
      for (Flow flow : List.copyOf(flows.values())) {
        flow.pump();
      }
    }
  }

  private void failLater(
      ChunkSocket socket, Xid cid, ChunkHandler handler, XiaSocketException cause) {
    counters.chunksFailed++;
    later(socket, cid, () -> failed(handler, cid, cause));
  }

  private XiaSocketException tooLong(Xid cid, int length) {
    return new XiaSocketException(
        XiaSocketException.Kind.MESSAGE_TOO_LONG,
        "chunk too long for this node",
        Map.of("cid", cid, "bytes", length, "maxBytes", options.maxChunkBytes()));
  }

  // An application's handler that throws must not take the node's loop with it.
  private static void deliver(ChunkHandler handler, Xid cid, ByteBuffer data) {
    try {
      handler.onChunk(cid, data);
    } catch (RuntimeException e) {
      LOG.error("chunk handler failed cid={}", cid, e);
    }
  }

  private static void failed(ChunkHandler handler, Xid cid, XiaSocketException cause) {
    try {
      handler.onFailed(cid, cause);
    } catch (RuntimeException e) {
      LOG.error("chunk handler failed cid={}", cid, e);
    }
  }

  // ---- flows and this node's address ----

  private Flow flowFor(Dag address) {
    Xid host = address.host();
    Xid key = host != null ? host : address.node(0);
    Flow flow = flows.get(key);
    if (flow == null) {
      forgetIdleFlows();
      flow = new Flow(key, address, context, options, counters, policy, this);
      flows.put(key, flow);
    }
    return flow;
  }

  private void forgetIdleFlows() {
    long now = context.nowNs();
    boolean crowded = flows.size() >= MAX_FLOWS;
    for (Iterator<Flow> it = flows.values().iterator(); it.hasNext(); ) {
      Flow flow = it.next();
      if (flow.isIdle() && (crowded || now - flow.idleSinceNs > FLOW_LIFE_NS)) {
        flow.cancelTimers();
        it.remove();
      }
    }
  }

  private void bindOnce() {
    if (sid != null) {
      return;
    }
    Xid fresh;
    do {
      fresh = Xid.of(XidType.SID.code(), EPHEMERAL_SID, 0, context.random().nextInt());
    } while (context.isBound(fresh));
    context.bind(fresh, receiver);
    sid = fresh;
    buildReplyAddresses(context.localAddress());
    addressSubscription = context.onAddressChange(this::onAddressChange);
  }

  private void buildReplyAddresses(LocalAddress local) {
    Xid own = java.util.Objects.requireNonNull(sid);
    replyService = local.service(own);
    replyHost = local.host();
    replyNear = Dag.path(local.hid());
  }

  private void onAddressChange(LocalAddress local) {
    buildReplyAddresses(local);
    for (Flow flow : new ArrayList<>(flows.values())) {
      flow.pathChanged();
    }
  }

  // ---- for tests ----

  String flows() {
    return flows.values().stream().map(Flow::toString).collect(Collectors.joining("\n"));
  }

  @Nullable Flow flow(Xid host) {
    return flows.get(host);
  }

  long reservedBytes() {
    return reservedBytes;
  }

  int outstandingChunks() {
    return fetches.size();
  }
}
