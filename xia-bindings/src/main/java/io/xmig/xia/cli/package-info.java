/** Subcommands and options that this module brings to the xmig command. */
@NullMarked
package io.xmig.xia.cli;

import org.jspecify.annotations.NullMarked;
