/** Subcommands that this module brings to the xmig command. */
@NullMarked
package io.xmig.adapt.cli;

import org.jspecify.annotations.NullMarked;
