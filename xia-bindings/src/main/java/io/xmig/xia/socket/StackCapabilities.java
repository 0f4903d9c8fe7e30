package io.xmig.xia.socket;

/**
 * What a stack can do, asked instead of assumed: limits are facts of the stack that is running, not
 * constants in the code above it.
 *
 * @param name how to call the stack in messages, e.g. {@code node} or {@code libxsocket}
 * @param maxChunkBytes largest chunk that can be put and fetched
 * @param maxDatagramBytes largest payload of one datagram
 * @param rangeRequests whether lost parts of a chunk are requested again instead of the whole chunk
 * @param reliableClose whether the peer learns of close and reset
 * @param pushesChunks whether a fetched chunk is announced by an event (else the stack polls for
 *     it)
 */
public record StackCapabilities(
    String name,
    int maxChunkBytes,
    int maxDatagramBytes,
    boolean rangeRequests,
    boolean reliableClose,
    boolean pushesChunks) {}
