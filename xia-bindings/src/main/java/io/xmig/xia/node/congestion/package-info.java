/**
 * Takes acknowledgements, losses and timeouts from a transport, gives the window and the pacing
 * rate it sends with: congestion control shared by streams and chunks.
 */
@NullMarked
package io.xmig.xia.node.congestion;

import org.jspecify.annotations.NullMarked;
