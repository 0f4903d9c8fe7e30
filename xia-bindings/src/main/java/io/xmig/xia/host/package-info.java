/**
 * Takes a topology, gives running nodes, switches and links with their control and local API
 * sockets: all of a network in one process, or the part of it that this process is to be.
 */
@NullMarked
package io.xmig.xia.host;

import org.jspecify.annotations.NullMarked;
