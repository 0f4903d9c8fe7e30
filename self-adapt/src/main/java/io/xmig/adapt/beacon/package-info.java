/** Takes a gateway's identity and signs of arrival, gives beacons. */
@NullMarked
package io.xmig.adapt.beacon;

import org.jspecify.annotations.NullMarked;
