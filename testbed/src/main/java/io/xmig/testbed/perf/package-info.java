/** Throughput and latency between two hosts: the netperf of XIA, {@code xmig perf}. */
@NullMarked
package io.xmig.testbed.perf;

import org.jspecify.annotations.NullMarked;
