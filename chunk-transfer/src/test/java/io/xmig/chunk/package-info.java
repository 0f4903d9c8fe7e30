/** Tests of the chunk transfer as a whole. */
@NullMarked
package io.xmig.chunk;

import org.jspecify.annotations.NullMarked;
