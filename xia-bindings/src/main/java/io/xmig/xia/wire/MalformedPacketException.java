package io.xmig.xia.wire;

import io.xmig.xia.XiaException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Bytes from a peer that are not what they claim to be. Thrown by the {@code wrap} and {@code
 * decode} methods; the packet path uses {@code tryWrap}, which only says no.
 */
public final class MalformedPacketException extends XiaException {
  private static final long serialVersionUID = 1L;

  /**
   * @param what a constant phrase, e.g. {@code xip-header truncated}
   * @param offset where in the buffer the structure starts
   * @param available bytes from there to the end
   */
  public MalformedPacketException(String what, int offset, int available) {
    super(Recovery.ABORT, what, facts(offset, available));
  }

  /** With further facts for the reader of the message. */
  public MalformedPacketException(String what, Map<String, ?> facts) {
    super(Recovery.ABORT, what, facts);
  }

  private static Map<String, ?> facts(int offset, int available) {
    Map<String, Integer> facts = new LinkedHashMap<>();
    facts.put("offset", offset);
    facts.put("available", available);
    return facts;
  }
}
