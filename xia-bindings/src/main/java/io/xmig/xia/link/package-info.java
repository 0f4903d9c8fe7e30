/**
 * Moves frames between a node and the world: datagram sockets, packet sockets, taps, switches,
 * shaped links, and the loop that drives a node.
 */
@NullMarked
package io.xmig.xia.link;

import org.jspecify.annotations.NullMarked;
