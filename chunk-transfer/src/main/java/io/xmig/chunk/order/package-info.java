/**
 * Takes verified chunks in stream order, gives bytes to the output, the tail of them only after the
 * whole was verified.
 */
@NullMarked
package io.xmig.chunk.order;

import org.jspecify.annotations.NullMarked;
