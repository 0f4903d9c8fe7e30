package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.XiaException;
import java.util.Map;

/**
 * The library cannot be used: not found, for another machine, or without the functions that are
 * needed.
 */
public final class LibXsocketException extends XiaException {
  private static final long serialVersionUID = 1L;

  public LibXsocketException(String what, Map<String, ?> facts) {
    super(Recovery.FATAL, what, facts);
  }
}
