/**
 * Takes bytes from a QEMU and gives them to another: the session joined to the XIA stack, to the
 * chunk transfer and to the process's standard input and output.
 */
@NullMarked
package io.xmig.control.pipe;

import org.jspecify.annotations.NullMarked;
