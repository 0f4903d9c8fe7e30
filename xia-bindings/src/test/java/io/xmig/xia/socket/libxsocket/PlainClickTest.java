package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The stack on a Click that knows nothing of what we add, and has the limits of the prototype. */
@Timeout(300)
class PlainClickTest {
  private static final int CHUNKS = 200;

  @BeforeEach
  void library() {
    assumeThat(PlainClickTest.class.getResource("/linux-x86-64/libXsocket.so"))
        .as("libXsocket.so is built where gcc is")
        .isNotNull();
  }

  /** Puts what happens to every request into one queue. */
  private static final class Outcomes implements ChunkHandler {
    final BlockingQueue<String> all = new LinkedBlockingQueue<>();

    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      all.add(Cid.matches(cid, data) ? "ok" : "wrong bytes");
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      all.add(cause.kind() + ": " + cause.getMessage());
    }

    List<String> next(int count) throws InterruptedException {
      List<String> taken = new ArrayList<>();
      while (taken.size() < count) {
        taken.add(String.valueOf(all.poll(30, TimeUnit.SECONDS)));
      }
      return taken;
    }
  }

  private static List<Dag> publish(TwoNodes nodes, int length) throws Exception {
    CacheSlice slice = nodes.await(() -> nodes.stack1.allocateSlice(SliceOptions.unlimited()));
    Random random = new Random(5);
    List<Dag> published = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      Xid cid = Cid.of(bytes);
      nodes.await(() -> slice.put(cid, ByteBuffer.wrap(bytes)));
      published.add(slice.dagOf(cid));
    }
    return published;
  }

  private static void request(XiaStack stack, ChunkSocket socket, List<Dag> dags, Outcomes to) {
    stack
        .loop()
        .execute(() -> dags.forEach(d -> socket.request(d, ChunkSocket.UNKNOWN_LENGTH, to)));
  }

  @Test
  void manyChunksComeWithinTheLimitsOfThePrototype() throws Exception {
    try (TwoNodes nodes = new TwoNodes();
        PlainClick click = new PlainClick(nodes.api0.port(), 0, 1);
        XiaStack library = Stacks.open("libxsocket:ours@" + click.port())) {
      int length = library.capabilities().maxChunkBytes();
      assertThat(length).isEqualTo(15_400);
      List<Dag> dags = publish(nodes, length);
      Outcomes outcomes = new Outcomes();
      ChunkSocket socket = library.openChunks().get(60, TimeUnit.SECONDS);

      request(library, socket, dags, outcomes);

      assertThat(outcomes.next(CHUNKS)).containsOnly("ok");
      assertThat(click.mostOutstanding).isBetween(FetchPace.FIRST, FetchPace.LARGEST);
      request(library, socket, dags.subList(0, 20), outcomes);
      assertThat(outcomes.next(20)).as("chunks that are wanted again").containsOnly("ok");
      assertThat(click.violations).isEmpty();
    }
  }

  @Test
  void whatIsLostForGoodIsRequestedAgainAndLessAtATime() throws Exception {
    try (TwoNodes nodes = new TwoNodes();
        PlainClick click = new PlainClick(nodes.api0.port(), 0.1, 2);
        XiaStack library = Stacks.open("libxsocket:ours@" + click.port())) {
      List<Dag> dags = publish(nodes, 2_000);
      Outcomes outcomes = new Outcomes();
      ChunkSocket socket = library.openChunks().get(60, TimeUnit.SECONDS);

      request(library, socket, dags, outcomes);
      request(library, socket, dags.subList(0, 1), outcomes); // the same one twice

      assertThat(outcomes.next(CHUNKS + 1)).containsOnly("ok");
      assertThat(click.violations).isEmpty();
    }
  }

  @Test
  void aChunkOfTheLibraryIsFetchedByANode() throws Exception {
    try (TwoNodes nodes = new TwoNodes();
        PlainClick click = new PlainClick(nodes.api0.port(), 0, 3);
        XiaStack library = Stacks.open("libxsocket:ours@" + click.port())) {
      CacheSlice slice = library.allocateSlice(SliceOptions.unlimited()).get(60, TimeUnit.SECONDS);
      byte[] bytes = new byte[15_400];
      new Random(6).nextBytes(bytes);
      Xid cid = Cid.of(bytes);
      slice.put(cid, ByteBuffer.wrap(bytes)).get(60, TimeUnit.SECONDS);
      Outcomes outcomes = new Outcomes();
      ChunkSocket fetching = nodes.await(nodes.stack1::openChunks);

      nodes.call(
          () -> {
            fetching.request(slice.dagOf(cid), ChunkSocket.UNKNOWN_LENGTH, outcomes);
            return null;
          });

      assertThat(outcomes.next(1)).containsOnly("ok");
      assertThat(click.violations).as("the echoed chunk fits, too").isEmpty();
    }
  }
}
