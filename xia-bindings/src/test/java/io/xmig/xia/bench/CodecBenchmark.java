package io.xmig.xia.bench;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Codecs of the packet path, and the two that only set-up uses.
 *
 * <ul>
 *   <li>{@code wrapXip}: checking a header and finding the next edge, as each hop does; allocates
 *       nothing
 *   <li>{@code writeXip}, {@code writeTransport}: the headers of a packet; allocate nothing
 *   <li>{@code readDag}: an address out of a packet, once per new peer
 *   <li>{@code parseDag}: an address from text
 * </ul>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CodecBenchmark {
  private static final int PAYLOAD_BYTES = 1000;

  /** The destination of the packet. */
  public enum Address {
    /** AD, HID, SID. */
    PATH,
    /** A CID with AD and HID as its fallback. */
    FALLBACK
  }

  @Param Address address;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(2048);
  private final ByteBuffer other = ByteBuffer.allocateDirect(2048);
  private final XipFlyweight xip = new XipFlyweight();
  private Dag destination;
  private Dag source;
  private String text;
  private int end;

  /** A whole packet. */
  @Setup
  public void fill() {
    Xid ad = Xid.of(XidType.AD.code(), 1, 2, 3);
    Xid hid = Xid.of(XidType.HID.code(), 4, 5, 6);
    source = Dag.path(ad, hid, Xid.of(XidType.SID.code(), 7, 8, 9));
    destination =
        address == Address.PATH
            ? source
            : Dag.withFallback(List.of(ad, hid), Xid.of(XidType.CID.code(), 7, 8, 9));
    text = destination.toString();
    end = writeXip() + PAYLOAD_BYTES;
    for (int i = 0; i < end; i++) {
      other.put(i, buffer.get(i));
    }
  }

  /** Checks the header and asks for what forwarding needs. */
  @Benchmark
  public int wrapXip() {
    return xip.tryWrap(other, 0, end) ? xip.edge(xip.current(), 0) + xip.payloadOffset() : -1;
  }

  /** Writes a header. */
  @Benchmark
  public int writeXip() {
    return XipFlyweight.write(
        buffer,
        0,
        XipFlyweight.NEXT_TRANSPORT,
        PAYLOAD_BYTES,
        XipFlyweight.DEFAULT_HOP_LIMIT,
        destination,
        source);
  }

  /** Writes the transport header of a datagram. */
  @Benchmark
  public int writeTransport() {
    return TransportFlyweight.write(
        buffer,
        0,
        TransportFlyweight.TYPE_DATAGRAM,
        TransportFlyweight.DATA,
        TransportFlyweight.NO_NUMBER,
        TransportFlyweight.NO_NUMBER);
  }

  /** Makes an address of what stands in a packet. */
  @Benchmark
  public Object readDag() {
    return Dag.tryRead(other, XipFlyweight.FIXED_LENGTH, destination.size());
  }

  /** Makes an address of text. */
  @Benchmark
  public Object parseDag() {
    return Dag.parse(text);
  }
}
