/** Hot paths set up to be measured, by {@code xmig bench} and by the JMH benchmarks alike. */
@NullMarked
package io.xmig.xia.bench;

import org.jspecify.annotations.NullMarked;
