package io.xmig.testbed.workload;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A question to the calculation service or its answer, 32 bytes, big-endian; the same on STREAM and
 * DGRAM.
 *
 * <pre>
 *  0          8         16         24         32
 *  | sequence |  number |    p     |     q    |    p = q = 0 in a question, p + q = number in an answer
 * </pre>
 *
 * @param sequence chosen by the client, repeated in the answer
 * @param number the even number
 * @param p smaller prime, 0 in a question
 * @param q larger prime, 0 in a question
 */
record CalMessage(long sequence, long number, long p, long q) {
  static final int LENGTH = 32;

  void write(ByteBuffer out) {
    out.putLong(sequence).putLong(number).putLong(p).putLong(q);
  }

  /** Takes one message from the buffer, or gives {@code null} when it does not hold a whole one. */
  static @Nullable CalMessage read(ByteBuffer in) {
    if (in.remaining() < LENGTH) {
      return null;
    }
    return new CalMessage(in.getLong(), in.getLong(), in.getLong(), in.getLong());
  }

  boolean isQuestion() {
    return p == 0 && q == 0 && Goldbach.accepts(number);
  }

  /** The answer to this question. */
  CalMessage solved() {
    long smaller = Goldbach.smallerPrime(number);
    return new CalMessage(sequence, number, smaller, number - smaller);
  }

  boolean isRight() {
    return Goldbach.holds(number, p, q);
  }
}
