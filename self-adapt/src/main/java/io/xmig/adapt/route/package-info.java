/**
 * Takes AD routes and hosts' statements, gives HID entries in routing tables: control of a node's
 * tables over its handlers, the routing daemon, and the redirection of hosts that have moved.
 */
@NullMarked
package io.xmig.adapt.route;

import org.jspecify.annotations.NullMarked;
