@NullMarked
package io.xmig.chunk.cut;

import org.jspecify.annotations.NullMarked;
