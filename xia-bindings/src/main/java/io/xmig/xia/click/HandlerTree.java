package io.xmig.xia.click;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Named values and actions of running elements, as Click calls them: {@code
 * router0/xrc/n/proc/rt_AD.add} is the handler {@code add} of the element {@code
 * router0/xrc/n/proc/rt_AD}. {@link HandlerRegistry} is the implementation for most uses.
 *
 * @threading as the implementation says; a {@link ControlSession} calls from the thread that feeds
 *     it
 * @source XIA prototype v1.1, docs/click.md
 */
public interface HandlerTree {
  /** The names of the elements, in the order of their declaration. */
  List<String> elements();

  /** Whether an element of this name exists; the empty name is that of the global handlers. */
  boolean hasElement(String element);

  /** A handler of an existing element, {@code ""} for the global ones, or {@code null}. */
  @Nullable Handler handler(String element, String name);

  /** One handler. At least one of the two accesses is possible. */
  interface Handler {
    /** Whether it may be read. */
    boolean isReadable();

    /** Whether it may be written. */
    boolean isWritable();

    /**
     * Reads the value.
     *
     * @param arguments what the reader gave besides the name, usually empty
     * @throws HandlerException with the message for the reader
     * @throws UnsupportedOperationException if it is not readable
     */
    String read(String arguments);

    /**
     * Writes a value.
     *
     * @throws HandlerException with the message for the writer
     * @throws UnsupportedOperationException if it is not writable
     */
    void write(String value);
  }
}
