package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A chunk that was asked for through the library, and who waits for it. */
abstract class ChunkRequest {
  final Dag dag;

  /** The address as the library takes it. */
  final String text;

  /** Several if the same chunk is wanted again. */
  final List<ChunkHandler> handlers = new ArrayList<>();

  /** Of the text in the list of those asked for. */
  int place;

  /** When it was asked for last, and when it began to be. */
  long askedNs;

  long sinceNs;

  ChunkRequest(Dag dag, ChunkHandler handler) {
    this.dag = dag;
    this.text = dag.toString();
    handlers.add(handler);
  }

  final Xid cid() {
    return dag.intent();
  }

  /** Why the library cannot be asked for this, or {@code null}. */
  final @Nullable XiaSocketException refusal() {
    return text.length() < StatusList.TEXT_BYTES
        ? null
        : new XiaSocketException(
            Kind.BAD_ADDRESS, "the address is too long", Map.of("address", dag));
  }
}
