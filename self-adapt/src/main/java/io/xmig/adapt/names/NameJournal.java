package io.xmig.adapt.names;

import java.util.List;

/** Where a name server keeps its names beyond its own life. */
public interface NameJournal {
  /** Keeps nothing: after a restart a name belongs to whoever registers it first. */
  NameJournal NONE =
      new NameJournal() {
        @Override
        public List<NameTable.Held> read() {
          return List.of();
        }

        @Override
        public void write(NameTable.Held held) {}
      };

  /** The names written so far, the newest of each name last. */
  List<NameTable.Held> read();

  /** Keeps a name; never fails, a journal that cannot write says so by itself. */
  void write(NameTable.Held held);
}
