/**
 * Takes frames, calls and the passing of time, gives frames and completions: the sans-IO XIA node
 * with its routing, transports and content cache.
 */
@NullMarked
package io.xmig.xia.node;

import org.jspecify.annotations.NullMarked;
