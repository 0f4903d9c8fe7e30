package io.xmig.xia.click;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A handler tree to which elements are added one by one.
 *
 * <pre>
 * var tree = new HandlerRegistry();
 * tree.element("rt_AD", "XIAXIDRouteTable", "RE AD0 HID0, 4")
 *     .read("list", table::list)
 *     .write("add", table::add)
 *     .readWrite("enabled", () -&gt; table.isEnabled() ? "1" : "0", table::setEnabled);
 * process.mount("router0/xrc/n/proc", tree);
 * </pre>
 *
 * <p>Every element also has {@code name}, {@code class}, {@code config}, {@code ports} and {@code
 * handlers}, and the registry has Click's global handlers.
 *
 * @threading one thread
 */
public final class HandlerRegistry implements HandlerTree {
  /** What the global handler {@code version} says: the Click that the prototype is built on. */
  public static final String CLICK_VERSION = "2.0.1";

  private final Map<String, Element> elements = new LinkedHashMap<>();
  private final Map<String, HandlerTree> mounts = new LinkedHashMap<>();
  private final Element global = new Element("", "", "");

  public HandlerRegistry() {
    global.read("version", () -> CLICK_VERSION);
    global.read("list", this::listElements);
    global.read("classes", () -> lines(classes()));
    global.read("config", () -> "");
    global.read("flatconfig", () -> "");
    global.read("packages", () -> "");
    global.read("requirements", () -> "");
    global.read("handlers", global::describe);
  }

  /**
   * Adds an element.
   *
   * @param name its path, e.g. {@code xrc/n/proc/rt_AD}
   * @param className Click's name of its class
   * @param config its arguments as text
   * @throws IllegalArgumentException if the name is taken
   */
  public Element element(String name, String className, String config) {
    Element element = new Element(name, className, config);
    if (name.isEmpty() || elements.putIfAbsent(name, element) != null) {
      throw new IllegalArgumentException("two elements named '" + name + "'");
    }
    element.read("name", () -> name, ".");
    element.read("class", () -> className, ".");
    element.read("config", () -> config, ".");
    element.read("ports", () -> "", ".");
    element.read("handlers", element::describe, ".");
    return element;
  }

  /** Removes an element; nothing happens if there is none of this name. */
  public void remove(String name) {
    elements.remove(name);
  }

  /** The global handlers, to which more can be added or which can be replaced. */
  public Element global() {
    return global;
  }

  /**
   * Makes another tree's elements visible under a prefix: its {@code xrc/cache} becomes {@code
   * router0/xrc/cache}. Its global handlers are not.
   */
  public void mount(String prefix, HandlerTree tree) {
    if (prefix.isEmpty() || mounts.putIfAbsent(prefix + "/", tree) != null) {
      throw new IllegalArgumentException("two trees mounted at '" + prefix + "'");
    }
  }

  /** Undoes {@link #mount}. */
  public void unmount(String prefix) {
    mounts.remove(prefix + "/");
  }

  @Override
  public List<String> elements() {
    List<String> names = new ArrayList<>(elements.keySet());
    mounts.forEach((prefix, tree) -> tree.elements().forEach(name -> names.add(prefix + name)));
    return names;
  }

  @Override
  public boolean hasElement(String element) {
    return element.isEmpty()
        || elements.containsKey(element)
        || mounts.entrySet().stream()
            .anyMatch(
                mount ->
                    element.length() > mount.getKey().length()
                        && element.startsWith(mount.getKey())
                        && mount.getValue().hasElement(rest(element, mount.getKey())));
  }

  @Override
  public @Nullable Handler handler(String element, String name) {
    if (element.isEmpty()) {
      return global.handlers.get(name);
    }
    Element own = elements.get(element);
    if (own != null) {
      return own.handlers.get(name);
    }
    for (Map.Entry<String, HandlerTree> mount : mounts.entrySet()) {
      if (element.length() > mount.getKey().length() && element.startsWith(mount.getKey())) {
        Handler found = mount.getValue().handler(rest(element, mount.getKey()), name);
        if (found != null) {
          return found;
        }
      }
    }
    return null;
  }

  private static String rest(String element, String prefix) {
    return element.substring(prefix.length());
  }

  private String listElements() {
    List<String> names = elements();
    return names.size() + "\n" + lines(names);
  }

  private Iterable<String> classes() {
    TreeSet<String> classes = new TreeSet<>();
    for (String element : elements()) {
      Handler handler = handler(element, "class");
      if (handler != null && handler.isReadable()) {
        classes.add(handler.read(""));
      }
    }
    return classes;
  }

  private static String lines(Iterable<String> words) {
    StringBuilder out = new StringBuilder();
    words.forEach(word -> out.append(word).append('\n'));
    return out.toString();
  }

  /** An element of the registry; its methods add handlers and return it. */
  public static final class Element {
    private final String name;
    private final String className;
    private final String config;
    private final Map<String, Registered> handlers = new LinkedHashMap<>();

    private Element(String name, String className, String config) {
      this.name = name;
      this.className = className;
      this.config = config;
    }

    /** Adds a handler that can be read. */
    public Element read(String handler, Supplier<String> value) {
      return read(handler, value, "");
    }

    private Element read(String handler, Supplier<String> value, String flags) {
      return put(handler, new Registered(arguments -> value.get(), null, flags));
    }

    /** Adds a handler that can be read with arguments. */
    public Element readWithArguments(String handler, UnaryOperator<String> value) {
      return put(handler, new Registered(value, null, ""));
    }

    /** Adds a handler that can be written. */
    public Element write(String handler, Consumer<String> action) {
      return put(handler, new Registered(null, action, ""));
    }

    /** Adds a handler that can be read and written. */
    public Element readWrite(String handler, Supplier<String> value, Consumer<String> action) {
      return put(handler, new Registered(arguments -> value.get(), action, ""));
    }

    /**
     * Sets what an element's list of handlers shows behind {@code r} and {@code w} of a handler
     * added before, Click's hints for graphical tools: {@code .} calm, {@code b} button, {@code c}
     * checkbox.
     */
    public Element hint(String handler, String hints) {
      Registered known = handlers.get(handler);
      if (known == null) {
        throw new IllegalArgumentException("no handler named '" + handler + "'");
      }
      return put(handler, new Registered(known.reader, known.writer, hints));
    }

    private Element put(String handler, Registered registered) {
      handlers.put(handler, registered);
      return this;
    }

    /**
     * The text of the handler {@code handlers}: the youngest first, with {@code r} and {@code w}.
     */
    private String describe() {
      StringBuilder out = new StringBuilder();
      List<Map.Entry<String, Registered>> all = new ArrayList<>(handlers.entrySet());
      for (int i = all.size() - 1; i >= 0; i--) {
        Registered handler = all.get(i).getValue();
        out.append(all.get(i).getKey()).append('\t');
        out.append(handler.isReadable() ? "r" : "").append(handler.isWritable() ? "w" : "");
        out.append(handler.flags).append('\n');
      }
      return out.toString();
    }

    @Override
    public String toString() {
      return name + " :: " + className + "(" + config + ")";
    }
  }

  private record Registered(
      @Nullable UnaryOperator<String> reader, @Nullable Consumer<String> writer, String flags)
      implements Handler {
    @Override
    public boolean isReadable() {
      return reader != null;
    }

    @Override
    public boolean isWritable() {
      return writer != null;
    }

    @Override
    public String read(String arguments) {
      if (reader == null) {
        throw new UnsupportedOperationException("write-only");
      }
      return reader.apply(arguments);
    }

    @Override
    public void write(String value) {
      if (writer == null) {
        throw new UnsupportedOperationException("read-only");
      }
      writer.accept(value);
    }
  }
}
