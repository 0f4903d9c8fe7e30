/**
 * Takes the messages of the peer, the progress of the transfer and time, gives messages and orders
 * to the transfer: the migration session as two state machines without input or output, and what it
 * knows of the end of a QEMU stream.
 */
@NullMarked
package io.xmig.control.session;

import org.jspecify.annotations.NullMarked;
