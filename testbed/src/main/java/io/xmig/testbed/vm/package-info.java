/**
 * Takes Debian's kernel and busybox, a trimmed Java runtime and this program's own jars, gives a
 * guest that QEMU boots; and holds what runs inside that guest.
 */
@NullMarked
package io.xmig.testbed.vm;

import org.jspecify.annotations.NullMarked;
