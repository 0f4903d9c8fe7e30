/**
 * Takes seeds and stored vectors, gives tests their inputs; published as the test-jar of this
 * module.
 */
@NullMarked
package io.xmig.xia.testkit;

import org.jspecify.annotations.NullMarked;
