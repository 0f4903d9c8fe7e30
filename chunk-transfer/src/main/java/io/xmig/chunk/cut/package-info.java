/**
 * Takes bytes from an input within the in-flight budget, gives pieces of the size that suits the
 * path to {@code publish}.
 */
@NullMarked
package io.xmig.chunk.cut;

import org.jspecify.annotations.NullMarked;
