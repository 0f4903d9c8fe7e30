package io.xmig.control.pipe;

/**
 * How far a transfer is.
 *
 * @param phase state of the session in lower case
 * @param takenBytes taken from the input (source), announced (destination)
 * @param acknowledgedBytes of these, at the destination for good
 * @param writtenBytes of these, given to the destination's output
 * @param chunks chunks published or announced
 * @param payloadBytes bytes of those chunks after compression
 * @param bytesPerSecond measured rate of the path, 0 if unknown
 * @param rttNs smallest round trip, 0 if unknown
 * @param inFlightBytes taken and not acknowledged
 * @param budgetBytes limit for these, 0 at the destination
 * @param downtimeLimitNs QEMU's downtime-limit that the budget goes with, 0 at the destination
 * @param chunkBytes size of chunk aimed at, 0 at the destination
 * @param losses how often the connection was lost
 * @param refetched requests beyond the first for a chunk
 */
public record Progress(
    String phase,
    long takenBytes,
    long acknowledgedBytes,
    long writtenBytes,
    long chunks,
    long payloadBytes,
    double bytesPerSecond,
    long rttNs,
    long inFlightBytes,
    long budgetBytes,
    long downtimeLimitNs,
    int chunkBytes,
    long losses,
    long refetched) {}
