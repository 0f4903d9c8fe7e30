@NullMarked
package io.xmig.chunk.order;

import org.jspecify.annotations.NullMarked;
