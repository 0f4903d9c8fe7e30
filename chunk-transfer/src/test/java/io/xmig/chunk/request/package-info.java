@NullMarked
package io.xmig.chunk.request;

import org.jspecify.annotations.NullMarked;
