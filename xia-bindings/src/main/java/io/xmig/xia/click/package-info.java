/**
 * Takes Click files and control connections, gives topologies to the link and testbed code and
 * handler calls to the nodes. Pure: no input or output but the reading of files.
 */
@NullMarked
package io.xmig.xia.click;

import org.jspecify.annotations.NullMarked;
