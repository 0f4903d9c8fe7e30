/** Hashing off the loop: chunk identifiers and the running digest of the stream. */
@NullMarked
package io.xmig.chunk.verify;

import org.jspecify.annotations.NullMarked;
