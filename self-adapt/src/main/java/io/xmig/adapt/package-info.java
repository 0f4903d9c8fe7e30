/**
 * Takes beacons, signs of mobility and registrations, gives routes and names that follow a host:
 * the self-adaptive mechanism.
 */
@NullMarked
package io.xmig.adapt;

import org.jspecify.annotations.NullMarked;
