package io.xmig.xia.click;

import io.xmig.xia.XiaException;

/**
 * A handler refused what it was asked; the message is for whoever asked. Click's own messages end
 * after the colon: {@code duplicate XID: }.
 */
public final class HandlerException extends XiaException {
  private static final long serialVersionUID = 1L;

  public HandlerException(String message) {
    super(Recovery.ABORT, message);
  }
}
