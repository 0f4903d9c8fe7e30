/**
 * Takes a plan of cells (network × mode × workload), runs them interleaved on {@code
 * testbed.links}'s links, gives tables, a report and a verdict per target.
 */
@org.jspecify.annotations.NullMarked
package io.xmig.testbed.evaluate;
