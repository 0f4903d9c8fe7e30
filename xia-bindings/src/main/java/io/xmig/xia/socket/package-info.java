/** The Xsocket API for Java: what applications call, whichever stack is behind it. */
@NullMarked
package io.xmig.xia.socket;

import org.jspecify.annotations.NullMarked;
