package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.ptr.PointerByReference;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many calls through JNA leave nothing behind: 30,000 by default, any number with {@code
 * -Dxmig.soak=1000000}.
 */
@Timeout(1800)
class NativeSoakTest {
  private static final int CALLS = Integer.getInteger("xmig.soak", 30_000);
  private static final int CALLS_PER_TURN = 12;

  /**
   * The JVM's compiler takes and gives back memory of the same allocator; with a million calls this
   * is still but 24 bytes per call.
   */
  private static final long JVM_NOISE = 24 << 20;

  /** What C's allocator has handed out. */
  @Structure.FieldOrder({
    "arena",
    "ordblks",
    "smblks",
    "hblks",
    "hblkhd",
    "usmblks",
    "fsmblks",
    "uordblks",
    "fordblks",
    "keepcost"
  })
  public static class Mallinfo extends Structure implements Structure.ByValue {
    public long arena;
    public long ordblks;
    public long smblks;
    public long hblks;
    public long hblkhd;
    public long usmblks;
    public long fsmblks;
    public long uordblks;
    public long fordblks;
    public long keepcost;
  }

  /** The part of the C library that this test needs. */
  public interface Malloc extends Library {
    Mallinfo mallinfo2();
  }

  private record Use(long nativeBytes, long heapBytes, long descriptors) {
    static Use now() throws Exception {
      for (int i = 0; i < 4; i++) {
        System.gc(); // memory of JNA is given back by a cleaner
        Thread.sleep(100);
      }
      Mallinfo info = Native.load("c", Malloc.class).mallinfo2();
      Runtime runtime = Runtime.getRuntime();
      try (var fds = Files.list(Path.of("/proc/self/fd"))) {
        return new Use(
            info.uordblks + info.hblkhd, runtime.totalMemory() - runtime.freeMemory(), fds.count());
      }
    }
  }

  @Test
  void callsLeaveNeitherMemoryNorDescriptorsBehind() throws Exception {
    assumeThat(NativeSoakTest.class.getResource("/linux-x86-64/libXsocket.so"))
        .as("libXsocket.so is built where gcc is")
        .isNotNull();
    try (TwoNodes nodes = new TwoNodes()) {
      Xsocket.load(LibraryFinder.find("ours").path());
      new ClickPort(nodes.api0.port(), "the test").set();
      Memory info = new Memory(Structs.ChunkInfo.LENGTH);
      ByteBuffer chunk = ByteBuffer.allocateDirect(1000);
      Pointer slice =
          Xsocket.XallocCacheSlice(Xsocket.POLICY_LRU | Xsocket.POLICY_REMOVE_ON_EXIT, 100, 64_000);
      assertThat(slice).isNotNull();
      turns(CALLS / 10, slice, chunk, info);
      Use before = Use.now();
      long start = System.nanoTime();

      int calls = turns(CALLS, slice, chunk, info);

      double micros = (System.nanoTime() - start) / 1e3 / calls;
      Use after = Use.now();
      System.out.printf(
          Locale.ROOT,
          "%d calls, %.1f us each: native %+d KiB, heap %+d KiB, descriptors %+d%n",
          calls,
          micros,
          (after.nativeBytes - before.nativeBytes) >> 10,
          (after.heapBytes - before.heapBytes) >> 10,
          after.descriptors - before.descriptors);
      assertThat(calls).isGreaterThanOrEqualTo(CALLS);
      assertThat(after.descriptors - before.descriptors).isLessThanOrEqualTo(2);
      assertThat(after.nativeBytes - before.nativeBytes).isLessThan(JVM_NOISE);
      assertThat(after.heapBytes - before.heapBytes).isLessThan(16 << 20);
      Xsocket.XfreeCacheSlice(slice);
    }
  }

  private static int turns(int calls, Pointer slice, ByteBuffer chunk, Memory info) {
    Dag service =
        Dag.path(
            TwoNodes.AD, TwoNodes.HID1, Xid.parse("SID:0f00000000000000000000000000000000000b01"));
    byte[] ad = new byte[64];
    byte[] hid = new byte[64];
    byte[] four = new byte[64];
    int made = 0;
    for (int turn = 0; made < calls; turn++) {
      int fd = Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_DGRAM, 0);
      Xsocket.XreadLocalHostAddr(fd, ad, ad.length, hid, hid.length, four, four.length);
      SockaddrMemory to = SockaddrMemory.of(service);
      Xsocket.Xsendto(fd, chunk.clear(), 100, 0, to.pointer(), 568);
      Xsocket.XisDualStackRouter(fd);
      Xsocket.Xclose(fd);
      PointerByReference found = new PointerByReference();
      assertThat(Xsocket.Xgetaddrinfo(null, service.intent().toString(), null, found)).isZero();
      Xsocket.Xfreeaddrinfo(found.getValue());
      chunk.putInt(0, turn);
      Xsocket.XputChunk(slice, chunk.clear(), chunk.capacity(), info);
      String cid = info.getString(Structs.ChunkInfo.CID);
      int chunks = Xsocket.Xsocket(Xsocket.AF_XIA, Xsocket.XSOCK_CHUNK, 0);
      String dag =
          Dag.withFallback(List.of(TwoNodes.AD, TwoNodes.HID0), Xid.parse("CID:" + cid)).toString();
      Xsocket.XgetChunkStatus(chunks, dag, dag.length() + 1L);
      Xsocket.XremoveChunk(slice, cid);
      Xsocket.Xclose(chunks);
      made += CALLS_PER_TURN;
    }
    return made;
  }
}
