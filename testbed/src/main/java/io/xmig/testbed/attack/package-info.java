/** Takes the segments of a run and lies on them: what nobody must believe. */
@NullMarked
package io.xmig.testbed.attack;

import org.jspecify.annotations.NullMarked;
