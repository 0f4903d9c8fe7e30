/** The host service as commands: {@code xmig host}, {@code xmig vm}, {@code xmig migrate}. */
@NullMarked
package io.xmig.control.host.cli;

import org.jspecify.annotations.NullMarked;
