package io.xmig.testbed.vm;

/** The guest image cannot be built; the message says what is missing and how to get it. */
public final class GuestImageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public GuestImageException(String message) {
    super(message);
  }

  public GuestImageException(String message, Throwable cause) {
    super(message, cause);
  }
}
