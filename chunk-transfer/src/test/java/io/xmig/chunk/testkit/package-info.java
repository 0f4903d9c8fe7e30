/**
 * A XIA network that is only made up, on virtual time: the Xsocket API with delays, failures, wrong
 * bytes, partitions and deaths chosen by a seed, without packets; and inputs and outputs for it.
 */
@NullMarked
package io.xmig.chunk.testkit;

import org.jspecify.annotations.NullMarked;
