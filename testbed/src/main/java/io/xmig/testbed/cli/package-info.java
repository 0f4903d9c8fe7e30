/** The xmig command: assembles every module's subcommands. */
@NullMarked
package io.xmig.testbed.cli;

import org.jspecify.annotations.NullMarked;
