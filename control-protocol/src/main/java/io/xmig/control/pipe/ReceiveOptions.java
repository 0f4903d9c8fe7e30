package io.xmig.control.pipe;

import io.xmig.control.session.SessionTimes;

/**
 * How to receive.
 *
 * @param times waiting times of the session
 * @param maxInFlightBytes most bytes that the source may have announced and not acknowledged
 * @param raw whether the output gets arbitrary bytes whatever they look like
 * @param markFailure whether, after a failure before the first byte, something is written that no
 *     QEMU accepts: it does not notice an input that ends without a byte
 * @param acceptNs how long to wait for a source, 0 for ever
 * @param settleNs how long to wait at the end until the peer has the last message
 * @param software what this side calls itself
 */
public record ReceiveOptions(
    SessionTimes times,
    long maxInFlightBytes,
    boolean raw,
    boolean markFailure,
    long acceptNs,
    long settleNs,
    String software) {}
