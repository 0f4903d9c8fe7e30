package io.xmig.xia.node.chunk;

import org.jspecify.annotations.Nullable;

/**
 * All requests of the node by serial: consecutive serials lie in consecutive slots of a ring that
 * grows with the number outstanding. A slot that is no longer needed keeps its request until it
 * comes round again, so that late answers are recognised.
 */
final class RequestRing {
  private static final int MAX_SLOTS = 1 << 18;

  private RangeRequest[] slots = fill(new RangeRequest[256]);
  private int nextSerial;

  /**
   * @param firstSerial a number an outsider cannot guess
   */
  RequestRing(int firstSerial) {
    this.nextSerial = firstSerial;
  }

  private static RangeRequest[] fill(RangeRequest[] slots) {
    for (int i = 0; i < slots.length; i++) {
      if (slots[i] == null) {
        slots[i] = new RangeRequest();
      }
    }
    return slots;
  }

  /** A request with a new serial, or {@code null} when too many are outstanding. */
  @Nullable RangeRequest next() {
    RangeRequest slot = slots[nextSerial & (slots.length - 1)];
    if (slot.state == RangeRequest.State.OUTSTANDING) {
      if (slots.length == MAX_SLOTS) {
        return null;
      }
      grow();
      slot = slots[nextSerial & (slots.length - 1)];
    }
    slot.serial = nextSerial++;
    return slot;
  }

  /** The request of a serial, or {@code null} when there is none (any more). */
  @Nullable RangeRequest find(int serial) {
    RangeRequest slot = slots[serial & (slots.length - 1)];
    return slot.serial == serial && slot.state != RangeRequest.State.FREE ? slot : null;
  }

  private void grow() {
    RangeRequest[] larger = new RangeRequest[slots.length * 2];
    for (RangeRequest r : slots) {
      if (r.state != RangeRequest.State.FREE) {
        larger[r.serial & (larger.length - 1)] = r;
      }
    }
    slots = fill(larger);
  }
}
