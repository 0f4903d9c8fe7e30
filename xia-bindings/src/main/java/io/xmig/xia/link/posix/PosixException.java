package io.xmig.xia.link.posix;

import io.xmig.xia.XiaException;
import java.util.LinkedHashMap;
import java.util.Map;

/** A system call that failed: which, on what, why, and what to try next. */
public final class PosixException extends XiaException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  /**
   * @param call what was tried, e.g. {@code packet-socket bind}
   * @param target what it was tried on: a path, an interface, an address
   */
  public PosixException(String call, String target, int errno) {
    super(recoveryOf(errno), call + " failed", facts(call, target, errno));
    this.errno = errno;
  }

  /** The {@code errno} of the call. */
  public int errno() {
    return errno;
  }

  private static Recovery recoveryOf(int errno) {
    return errno == Errno.EAGAIN || errno == Errno.ENOBUFS ? Recovery.RETRY : Recovery.ABORT;
  }

  private static Map<String, ?> facts(String call, String target, int errno) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("on", target);
    facts.put("errno", Errno.name(errno));
    String step = Errno.nextStep(call, errno);
    if (!step.isEmpty()) {
      facts.put("hint", step);
    }
    return facts;
  }
}
