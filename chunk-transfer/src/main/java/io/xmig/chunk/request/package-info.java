/** Takes announced chunks, gives verified ones in stream order to {@code order}. */
@NullMarked
package io.xmig.chunk.request;

import org.jspecify.annotations.NullMarked;
