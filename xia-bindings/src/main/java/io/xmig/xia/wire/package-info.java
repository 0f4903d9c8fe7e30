/**
 * Takes DAGs from addr and frames from a link, gives views over packet headers to the node. Pure:
 * no input or output.
 */
@NullMarked
package io.xmig.xia.wire;

import org.jspecify.annotations.NullMarked;
