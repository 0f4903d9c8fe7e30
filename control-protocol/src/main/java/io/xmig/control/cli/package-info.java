/** Takes command lines, gives transfers: {@code xmig send} and {@code xmig receive}. */
@NullMarked
package io.xmig.control.cli;

import org.jspecify.annotations.NullMarked;
