package io.xmig.xia.link.posix;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory outside the heap whose address system calls may be given. Freed when it and every view of
 * it are unreachable, so whoever hands the address to the kernel keeps the object.
 *
 * <p>{@link #bytes} is in native byte order, as C structures are.
 */
public final class NativeBuffer {
  private final ByteBuffer bytes;
  private final long address;

  /** Zeroed memory of {@code length} bytes. */
  public NativeBuffer(int length) {
    this(ByteBuffer.allocateDirect(length));
  }

  private NativeBuffer(ByteBuffer direct) {
    this.bytes = direct.order(ByteOrder.nativeOrder());
    this.address = addressOf(direct);
  }

  /** The whole of a direct buffer, from index 0 to its capacity; its position stays. */
  public static NativeBuffer of(ByteBuffer direct) {
    return new NativeBuffer(direct.duplicate().clear());
  }

  private static long addressOf(ByteBuffer direct) {
    if (!direct.isDirect()) {
      throw new IllegalArgumentException("only direct buffers have an address");
    }
    return Pointer.nativeValue(Native.getDirectBufferPointer(direct.duplicate().clear()));
  }

  /** The memory, native byte order; use absolute access. */
  public ByteBuffer bytes() {
    return bytes;
  }

  /** Its size. */
  public int length() {
    return bytes.capacity();
  }

  /** The address of {@code length} bytes from {@code offset}, which must lie inside. */
  long address(int offset, int length) {
    if (offset < 0 || length < 0 || offset > bytes.capacity() - length) {
      throw new IllegalArgumentException(
          "bytes " + offset + "+" + length + " of " + bytes.capacity());
    }
    return address + offset;
  }

  /** The address of the first byte. */
  long address() {
    return address;
  }
}
