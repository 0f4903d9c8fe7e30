/**
 * What runs in the VM and against it while it moves: the calculation service Cal and the Xping
 * probe. Takes a stack, gives samples to a run.
 */
@NullMarked
package io.xmig.testbed.workload;

import org.jspecify.annotations.NullMarked;
