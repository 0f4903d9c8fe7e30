/**
 * The prototype's {@code libXsocket.so} through JNA: the raw binding, of use by itself, and a stack
 * on it. Takes a path to a library, gives calls with the names of the C interface and an {@link
 * io.xmig.xia.socket.XiaStack}.
 */
@NullMarked
package io.xmig.xia.socket.libxsocket;

import org.jspecify.annotations.NullMarked;
