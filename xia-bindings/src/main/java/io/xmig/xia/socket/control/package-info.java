/**
 * Click's ControlSocket from its client's side: takes handler calls, gives them to a Click process
 * and brings its answers back, for the stack over {@code libXsocket} and for route control.
 */
@NullMarked
package io.xmig.xia.socket.control;

import org.jspecify.annotations.NullMarked;
