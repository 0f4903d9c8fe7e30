package io.xmig.xia.node.stream;

import io.xmig.xia.socket.XiaSocketException.Kind;

/** Reasons in a RST packet. Unknown ones read as {@link #ABORTED}. */
final class Reset {
  /** The application dropped the connection. */
  static final int ABORTED = 1;

  /** Nobody listens there, or the listener has enough waiting. */
  static final int REFUSED = 2;

  /** The connection is not known, e.g. because the host was restarted. */
  static final int UNKNOWN = 3;

  /** The peer was silent for too long. */
  static final int TIMED_OUT = 4;

  /** Closed here, and the peer went on for too long. */
  static final int LINGERED = 5;

  /** The node has no memory or no number left for another connection. */
  static final int NO_SPACE = 6;

  private Reset() {}

  static String text(int reason) {
    switch (reason) {
      case REFUSED:
        return "connection refused by the peer";
      case UNKNOWN:
        return "the peer does not know this stream any more";
      case TIMED_OUT:
        return "the peer gave the stream up after a long silence";
      case LINGERED:
        return "the peer closed the stream and reads no more";
      case NO_SPACE:
        return "the peer has no room for another stream";
      default:
        return "stream aborted by the peer";
    }
  }

  static Kind kind(int reason) {
    return reason == REFUSED || reason == NO_SPACE ? Kind.REFUSED : Kind.RESET;
  }
}
