/**
 * Takes keys and statements, gives signed envelopes and verdicts about them: who may speak for an
 * identifier, and whether what is said is new. Pure.
 */
@NullMarked
package io.xmig.adapt.trust;

import org.jspecify.annotations.NullMarked;
