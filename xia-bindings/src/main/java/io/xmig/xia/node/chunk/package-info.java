/**
 * Takes content packets and chunk requests of applications from the node, gives requests, chunk
 * segments and complete chunks: the sans-IO XSOCK_CHUNK transport with its content cache.
 *
 * <p>The stations: {@link io.xmig.xia.node.chunk.ChunkTransport} sorts what arrives; {@code
 * ContentCache} keeps what this node serves, {@code PathCache} assembles what passes, {@code
 * ChunkServer} answers requests, {@code ChunkFetcher} with one {@code Flow} per remote host asks
 * and assembles. The protocol is described in docs/chunk.md.
 */
@NullMarked
package io.xmig.xia.node.chunk;

import org.jspecify.annotations.NullMarked;
