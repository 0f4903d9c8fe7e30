package io.xmig.testbed.workload;

/**
 * Goldbach's conjecture for one even number: every even number from 4 on is the sum of two primes.
 * The work that the calculation service does and its client checks (paper, section 3.2).
 */
public final class Goldbach {
  /**
   * Largest number the service accepts: its pair is found in well under a millisecond by trial
   * division.
   */
  public static final long LIMIT = 1L << 31;

  private Goldbach() {}

  /**
   * The smaller prime of the pair with the smallest prime.
   *
   * @param even an even number from 4 to {@link #LIMIT}
   * @throws IllegalArgumentException for any other number
   */
  public static long smallerPrime(long even) {
    if (!accepts(even)) {
      throw new IllegalArgumentException("not an even number from 4 to " + LIMIT + ": " + even);
    }
    for (long p = 2; p <= even / 2; p++) {
      if (isPrime(p) && isPrime(even - p)) {
        return p;
      }
    }
    throw new ArithmeticException("Goldbach's conjecture is wrong: " + even);
  }

  /** Whether the service answers for this number. */
  public static boolean accepts(long n) {
    return n >= 4 && n <= LIMIT && n % 2 == 0;
  }

  /** Whether {@code p + q = even} with both prime: what the client verifies of every answer. */
  public static boolean holds(long even, long p, long q) {
    return p >= 2 && q >= 2 && p + q == even && isPrime(p) && isPrime(q);
  }

  static boolean isPrime(long n) {
    if (n < 4) {
      return n > 1;
    }
    if (n % 2 == 0) {
      return false;
    }
    for (long d = 3; d * d <= n; d += 2) {
      if (n % d == 0) {
        return false;
      }
    }
    return true;
  }
}
