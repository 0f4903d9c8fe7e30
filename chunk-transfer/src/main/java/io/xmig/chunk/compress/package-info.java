/** Takes the bytes of a piece, gives the payload of a chunk, smaller where that pays; and back. */
@NullMarked
package io.xmig.chunk.compress;

import org.jspecify.annotations.NullMarked;
