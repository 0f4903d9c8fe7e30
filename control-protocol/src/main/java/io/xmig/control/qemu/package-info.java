/**
 * Takes a description of a virtual machine, gives a running QEMU; takes the wish to migrate, gives
 * the sequence of QMP commands, and what QEMU says meanwhile.
 */
@NullMarked
package io.xmig.control.qemu;

import org.jspecify.annotations.NullMarked;
