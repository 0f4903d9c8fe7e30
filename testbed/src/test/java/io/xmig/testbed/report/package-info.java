@NullMarked
package io.xmig.testbed.report;

import org.jspecify.annotations.NullMarked;
