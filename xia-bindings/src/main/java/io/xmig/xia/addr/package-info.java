/**
 * Takes address text and bytes, gives XIDs and DAGs to every other package. Pure: no input or
 * output.
 */
@NullMarked
package io.xmig.xia.addr;

import org.jspecify.annotations.NullMarked;
