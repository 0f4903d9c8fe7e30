package io.xmig.xia.node.chunk;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a node's chunk transport has done and refused, counted since its start.
 *
 * @threading written on the node's loop; a reader elsewhere may see old values
 */
public final class ChunkCounters {
  long requestsSent;
  long requestsAnswered;
  long legacyRequestsAnswered;
  long refusalsSent;
  long requestsDropped;
  long segmentsSent;
  long segmentsReceived;
  long bytesServed;
  long bytesFetched;
  long duplicateBytes;
  long bytesLost;
  long spuriousLosses;
  long timeouts;
  long tailProbes;
  long chunksFetched;
  long chunksFailed;
  long localHits;
  long malformed;
  long strange;
  long pathChunksKept;
  long pathChunksBad;
  long pathChunksDropped;

  ChunkCounters() {}

  /** All counters by name. */
  public Map<String, Long> snapshot() {
    Map<String, Long> all = new LinkedHashMap<>();
    all.put("requestsSent", requestsSent);
    all.put("requestsAnswered", requestsAnswered);
    all.put("legacyRequestsAnswered", legacyRequestsAnswered);
    all.put("refusalsSent", refusalsSent);
    all.put("requestsDropped", requestsDropped);
    all.put("segmentsSent", segmentsSent);
    all.put("segmentsReceived", segmentsReceived);
    all.put("bytesServed", bytesServed);
    all.put("bytesFetched", bytesFetched);
    all.put("duplicateBytes", duplicateBytes);
    all.put("bytesLost", bytesLost);
    all.put("spuriousLosses", spuriousLosses);
    all.put("timeouts", timeouts);
    all.put("tailProbes", tailProbes);
    all.put("chunksFetched", chunksFetched);
    all.put("chunksFailed", chunksFailed);
    all.put("localHits", localHits);
    all.put("malformed", malformed);
    all.put("strange", strange);
    all.put("pathChunksKept", pathChunksKept);
    all.put("pathChunksBad", pathChunksBad);
    all.put("pathChunksDropped", pathChunksDropped);
    return all;
  }
}
