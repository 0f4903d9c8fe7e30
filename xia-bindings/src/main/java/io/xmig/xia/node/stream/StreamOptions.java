package io.xmig.xia.node.stream;

import java.util.function.Consumer;

/**
 * Limits and habits of a {@link StreamTransport}. Immutable; {@link #with} makes changed copies.
 *
 * @source local choice: docs/stream.md, section "Limits"
 */
public final class StreamOptions implements Cloneable {
  private static final StreamOptions DEFAULTS = new StreamOptions();

  private int bufferBytes = 256 << 10;
  private int maxBufferBytes = 8 << 20;
  private long memoryBytes = 64L << 20;
  private int maxConnections = 1024;
  private String congestionControl = "bbr";
  private long keepAliveNs = 15_000_000_000L;
  private long deadPeerNs = 60_000_000_000L;
  private long lingerNs = 60_000_000_000L;
  private long maxAckDelayNs = 2_000_000L;
  private long maxBackoffNs = 1_000_000_000L;
  private boolean offerExtensions = true;
  private boolean servePrototype = true;

  private StreamOptions() {}

  /** The options of a node that was told nothing else. */
  public static StreamOptions defaults() {
    return DEFAULTS;
  }

  /**
   * A copy with changes: {@code options.with(o -> o.congestionControl("cubic"))}.
   *
   * @throws IllegalArgumentException when a value makes no sense
   */
  public StreamOptions with(Consumer<Change> changes) {
    StreamOptions copy = clone();
    changes.accept(copy.new Change());
    copy.check();
    return copy;
  }

  @Override
  protected StreamOptions clone() {
    try {
      return (StreamOptions) super.clone();
    } catch (CloneNotSupportedException e) {
      throw new AssertionError(e);
    }
  }

  private void check() {
    if (Integer.bitCount(bufferBytes) != 1
        || Integer.bitCount(maxBufferBytes) != 1
        || bufferBytes < 16 << 10
        || maxBufferBytes < bufferBytes
        || maxBufferBytes > 1 << 30) {
      throw new IllegalArgumentException(
          "stream buffers are powers of two from 16 KiB to 1 GiB: "
              + bufferBytes
              + " up to "
              + maxBufferBytes);
    }
    if (memoryBytes < 2L * bufferBytes || maxConnections < 1) {
      throw new IllegalArgumentException(
          "no room for one connection: " + memoryBytes + " bytes, " + maxConnections);
    }
    if (keepAliveNs <= 0
        || deadPeerNs <= 0
        || lingerNs <= 0
        || maxAckDelayNs < 0
        || maxBackoffNs <= 0) {
      throw new IllegalArgumentException("times of a stream are positive");
    }
  }

  /** Bytes of the send buffer, and of the receive buffer, of a new connection; a power of two. */
  public int bufferBytes() {
    return bufferBytes;
  }

  /** What either buffer may grow to as rate times round trip asks for it; a power of two. */
  public int maxBufferBytes() {
    return maxBufferBytes;
  }

  /** Bytes that the buffers of all connections of the node may take together. */
  public long memoryBytes() {
    return memoryBytes;
  }

  /** Connections per node, half-open ones included. */
  public int maxConnections() {
    return maxConnections;
  }

  /** Name of the {@link io.xmig.xia.node.congestion.CongestionControl}. */
  public String congestionControl() {
    return congestionControl;
  }

  /** Silence after which the peer is asked whether it lives. */
  public long keepAliveNs() {
    return keepAliveNs;
  }

  /** How long a peer may leave everything unanswered before the connection is given up. */
  public long deadPeerNs() {
    return deadPeerNs;
  }

  /** How long a closed connection waits for the peer to finish before it is reset. */
  public long lingerNs() {
    return lingerNs;
  }

  /** Longest time an acknowledgement is held back. */
  public long maxAckDelayNs() {
    return maxAckDelayNs;
  }

  /** Longest pause between attempts to reach a silent peer. */
  public long maxBackoffNs() {
    return maxBackoffNs;
  }

  /** Whether connections of our own kind are offered; else everybody is spoken to as v1.1. */
  public boolean offerExtensions() {
    return offerExtensions;
  }

  /** Whether peers that know no extensions are served in v1.1 terms. */
  public boolean servePrototype() {
    return servePrototype;
  }

  /** Setters for {@link #with}. */
  public final class Change {
    private Change() {}

    /** See {@link StreamOptions#bufferBytes} and {@link StreamOptions#maxBufferBytes}. */
    public Change buffers(int initialBytes, int maxBytes) {
      bufferBytes = initialBytes;
      maxBufferBytes = maxBytes;
      return this;
    }

    /** See {@link StreamOptions#memoryBytes}. */
    public Change memoryBytes(long bytes) {
      memoryBytes = bytes;
      return this;
    }

    /** See {@link StreamOptions#maxConnections}. */
    public Change maxConnections(int connections) {
      maxConnections = connections;
      return this;
    }

    /** See {@link StreamOptions#congestionControl}. */
    public Change congestionControl(String name) {
      congestionControl = name;
      return this;
    }

    /** See {@link StreamOptions#keepAliveNs}. */
    public Change keepAliveNs(long ns) {
      keepAliveNs = ns;
      return this;
    }

    /** See {@link StreamOptions#deadPeerNs}. */
    public Change deadPeerNs(long ns) {
      deadPeerNs = ns;
      return this;
    }

    /** See {@link StreamOptions#lingerNs}. */
    public Change lingerNs(long ns) {
      lingerNs = ns;
      return this;
    }

    /** See {@link StreamOptions#maxAckDelayNs}. */
    public Change maxAckDelayNs(long ns) {
      maxAckDelayNs = ns;
      return this;
    }

    /** See {@link StreamOptions#maxBackoffNs}. */
    public Change maxBackoffNs(long ns) {
      maxBackoffNs = ns;
      return this;
    }

    /** See {@link StreamOptions#offerExtensions}. */
    public Change offerExtensions(boolean offer) {
      offerExtensions = offer;
      return this;
    }

    /** See {@link StreamOptions#servePrototype}. */
    public Change servePrototype(boolean serve) {
      servePrototype = serve;
      return this;
    }
  }
}
