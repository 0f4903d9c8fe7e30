package io.xmig.testbed.links;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The links of a run.
 *
 * <p>Made before the nodes are started; {@link #nodesRun} once they are; closed after every process
 * of the run has ended.
 *
 * @threading one thread
 */
public interface Net extends AutoCloseable {
  /** Words before a command that make it run where a node is; empty for anywhere. */
  List<String> prefix(String node);

  /** Options for {@code xmig node}, besides the file and {@code --only}. */
  List<String> nodeOptions();

  /** What network cards of VMs on a host are attached to, for {@code xmig host --nic}. */
  String nic(String host);

  /**
   * What {@code --plug} of a follower on a host says of a VM's socket there, {@code null} where VMs
   * need not be plugged in.
   */
  default @Nullable String plug(String host, Path local) {
    return null;
  }

  /** The MTU of a VM's network card. */
  int guestMtu();

  /** To be called when all nodes run. */
  void nodesRun();

  /** For people. */
  String description();

  @Override
  void close();
}
