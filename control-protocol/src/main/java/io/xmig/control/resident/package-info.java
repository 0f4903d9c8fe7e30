/**
 * Takes requests for transfers on a socket of this host, from programs that drive QEMU, gives them
 * to who runs transfers; and the other end of that socket.
 */
@NullMarked
package io.xmig.control.resident;

import org.jspecify.annotations.NullMarked;
