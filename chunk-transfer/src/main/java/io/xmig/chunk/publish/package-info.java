/** Takes pieces from {@code cut}, gives chunks that are in the cache slice, in stream order. */
@NullMarked
package io.xmig.chunk.publish;

import org.jspecify.annotations.NullMarked;
