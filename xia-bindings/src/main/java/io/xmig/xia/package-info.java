/** XIA in Java; the packages below are the stations. */
@NullMarked
package io.xmig.xia;

import org.jspecify.annotations.NullMarked;
