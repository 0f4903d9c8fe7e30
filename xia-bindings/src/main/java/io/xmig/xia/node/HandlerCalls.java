package io.xmig.xia.node;

import io.xmig.xia.click.HandlerException;
import io.xmig.xia.click.HandlerTree;
import io.xmig.xia.socket.XiaSocketException;
import java.util.Map;

/**
 * Handler calls by path, {@code ./} standing for the node's own name. Failures carry the codes of
 * Click's ControlSocket.
 */
final class HandlerCalls {
  private static final int NO_ELEMENT = 510;
  private static final int NO_HANDLER = 511;
  private static final int REFUSED = 520;
  private static final int WRONG_DIRECTION = 530;

  private final String node;
  private final HandlerTree tree;

  HandlerCalls(String node, HandlerTree tree) {
    this.node = node;
    this.tree = tree;
  }

  String read(String path) {
    HandlerTree.Handler handler = find(path);
    if (!handler.isReadable()) {
      throw failure(WRONG_DIRECTION, "handler is write-only", path);
    }
    try {
      return handler.read("");
    } catch (HandlerException e) {
      throw failure(REFUSED, e.getMessage(), path);
    }
  }

  void write(String path, String value) {
    HandlerTree.Handler handler = find(path);
    if (!handler.isWritable()) {
      throw failure(WRONG_DIRECTION, "handler is read-only", path);
    }
    try {
      handler.write(value);
    } catch (HandlerException e) {
      throw failure(REFUSED, e.getMessage(), path);
    }
  }

  private HandlerTree.Handler find(String path) {
    String full = path.startsWith("./") ? node + path.substring(1) : path;
    int dot = full.lastIndexOf('.');
    String element = dot < 0 ? "" : full.substring(0, dot);
    if (!tree.hasElement(element)) {
      throw failure(NO_ELEMENT, "no such element", path);
    }
    HandlerTree.Handler handler = tree.handler(element, full.substring(dot + 1));
    if (handler == null) {
      throw failure(NO_HANDLER, "no such handler", path);
    }
    return handler;
  }

  private static XiaSocketException failure(int code, String what, String path) {
    return new XiaSocketException(
        XiaSocketException.Kind.NODE, what, Map.of("code", code, "handler", path));
  }
}
