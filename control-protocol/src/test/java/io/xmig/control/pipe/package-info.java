@NullMarked
package io.xmig.control.pipe;

import org.jspecify.annotations.NullMarked;
