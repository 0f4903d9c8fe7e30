package io.xmig.xia.socket.ipc;

import io.xmig.xia.XiaException;
import java.util.Map;

/** The other process sent something that the protocol of the local API does not allow. */
public final class IpcProtocolException extends XiaException {
  private static final long serialVersionUID = 1L;

  IpcProtocolException(String what, Map<String, ?> facts) {
    super(Recovery.FATAL, what, facts);
  }
}
