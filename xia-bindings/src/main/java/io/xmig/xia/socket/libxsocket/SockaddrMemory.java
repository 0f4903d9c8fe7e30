package io.xmig.xia.socket.libxsocket;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.SockaddrX;

/**
 * A {@code sockaddr_x} in native memory, owned by the garbage collector; keep it reachable while C
 * uses it.
 */
public final class SockaddrMemory {
  private final Memory memory = new Memory(SockaddrX.LENGTH);

  /** An empty structure for C to fill. */
  public SockaddrMemory() {
    memory.clear();
  }

  /** The structure for an address. */
  public static SockaddrMemory of(Dag dag) {
    SockaddrMemory made = new SockaddrMemory();
    SockaddrX.write(dag, made.memory.getByteBuffer(0, SockaddrX.LENGTH), 0);
    return made;
  }

  /** Where it is. */
  public Pointer pointer() {
    return memory;
  }

  /**
   * The address that C wrote.
   *
   * @throws IllegalArgumentException if it is not an XIA address
   */
  public Dag dag() {
    return SockaddrX.read(memory.getByteBuffer(0, SockaddrX.LENGTH), 0, SockaddrX.LENGTH);
  }
}
