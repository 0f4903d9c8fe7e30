/**
 * The door to the C library: takes file descriptors and memory of known length, gives system calls
 * with {@code errno} as exceptions. Linux, 64 bits, little-endian. Besides the binding of
 * libXsocket the only package that knows JNA.
 */
@NullMarked
package io.xmig.xia.link.posix;

import org.jspecify.annotations.NullMarked;
