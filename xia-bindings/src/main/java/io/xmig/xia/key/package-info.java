/**
 * Key pairs, and the self-certifying identifiers that are their hashes. Whoever signs or checks,
 * for whatever protocol, does it with these.
 */
@NullMarked
package io.xmig.xia.key;

import org.jspecify.annotations.NullMarked;
