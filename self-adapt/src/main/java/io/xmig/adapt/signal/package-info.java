/**
 * Takes datagrams, gives the messages that agents, gateways and routers exchange about where hosts
 * are, and the other way round. Pure: no input or output.
 */
@NullMarked
package io.xmig.adapt.signal;

import org.jspecify.annotations.NullMarked;
