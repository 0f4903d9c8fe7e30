@NullMarked
package io.xmig.chunk.compress;

import org.jspecify.annotations.NullMarked;
