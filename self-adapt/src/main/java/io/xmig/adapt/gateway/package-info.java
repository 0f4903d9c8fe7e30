/**
 * Takes registrations of hosts, gives them routes and beacons: the services that a router of a
 * domain runs.
 */
@NullMarked
package io.xmig.adapt.gateway;

import org.jspecify.annotations.NullMarked;
