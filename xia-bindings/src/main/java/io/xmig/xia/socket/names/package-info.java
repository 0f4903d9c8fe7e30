/** Takes names, gives addresses: the client of the XIA name service over any stack. */
@NullMarked
package io.xmig.xia.socket.names;

import org.jspecify.annotations.NullMarked;
