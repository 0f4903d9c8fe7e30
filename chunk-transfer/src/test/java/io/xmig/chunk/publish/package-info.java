@NullMarked
package io.xmig.chunk.publish;

import org.jspecify.annotations.NullMarked;
