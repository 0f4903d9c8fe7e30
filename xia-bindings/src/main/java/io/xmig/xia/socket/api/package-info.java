/**
 * The local protocol of the prototype: takes datagrams from programs linked with {@code
 * libXsocket}, gives calls to a stack and answers back to the programs, so that they run on this
 * node unchanged.
 */
@NullMarked
package io.xmig.xia.socket.api;

import org.jspecify.annotations.NullMarked;
