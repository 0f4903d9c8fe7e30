/**
 * Takes a topology from {@code xia.click} and gives {@code testbed.run} the links its nodes are
 * joined by: sockets, or interfaces of network namespaces.
 */
@org.jspecify.annotations.NullMarked
package io.xmig.testbed.links;
