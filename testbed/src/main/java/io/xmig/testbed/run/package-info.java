/**
 * One experiment: brings a topology and a VM up, migrates, probes, tears everything down. Takes a
 * scenario, gives a result.
 */
@NullMarked
package io.xmig.testbed.run;

import org.jspecify.annotations.NullMarked;
