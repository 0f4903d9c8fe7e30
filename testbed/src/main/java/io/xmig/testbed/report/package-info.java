/** Takes the result of a run, gives result.json and report.html. */
@NullMarked
package io.xmig.testbed.report;

import org.jspecify.annotations.NullMarked;
