/** Where chunks of earlier transfers may be found; the place for deduplication. */
@NullMarked
package io.xmig.chunk.store;

import org.jspecify.annotations.NullMarked;
