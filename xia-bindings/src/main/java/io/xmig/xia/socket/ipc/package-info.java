/**
 * Takes the Xsocket API of a node in one process, gives it to other processes over a Unix-domain
 * stream socket: {@link io.xmig.xia.socket.ipc.IpcServer} on the node's loop, {@link
 * io.xmig.xia.socket.ipc.IpcStack} in the client. The protocol is described in docs/links.md.
 */
@NullMarked
package io.xmig.xia.socket.ipc;

import org.jspecify.annotations.NullMarked;
