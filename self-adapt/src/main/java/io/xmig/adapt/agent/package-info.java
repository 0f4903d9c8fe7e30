/**
 * Takes beacons and signs of mobility, gives a host its address, its registration and its names
 * wherever it wakes up: the self-adaptive agent.
 */
@NullMarked
package io.xmig.adapt.agent;

import org.jspecify.annotations.NullMarked;
