/**
 * Takes a topology, gives the network of a run: Click text, who is joined to whom, and a key for
 * everybody.
 */
@NullMarked
package io.xmig.testbed.network;

import org.jspecify.annotations.NullMarked;
