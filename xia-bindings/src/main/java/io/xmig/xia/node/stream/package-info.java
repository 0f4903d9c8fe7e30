/**
 * Takes packets for bound SIDs and the calls of applications, gives reliable byte streams: the
 * XSOCK_STREAM transport of the node, towards its own kind and towards the prototype.
 */
@NullMarked
package io.xmig.xia.node.stream;

import org.jspecify.annotations.NullMarked;
