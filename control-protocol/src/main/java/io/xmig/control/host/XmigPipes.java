package io.xmig.control.host;

import io.xmig.control.qemu.PipeCommand;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * {@code xmig send} and {@code xmig receive}: each hand-off has a service of its own, so that
 * streams of several migrations cannot meet.
 */
public final class XmigPipes implements Pipes {
  private final List<String> launcher;
  private final List<String> common;
  private final Function<Xid, String> addressOf;

  /**
   * Pipes that are started with {@code launcher}.
   *
   * @param launcher program and first arguments of the xmig command
   * @param common options that both pipes get, e.g. which stack to use
   * @param addressOf this host's address of a service, as text
   */
  public XmigPipes(List<String> launcher, List<String> common, Function<Xid, String> addressOf) {
    this.launcher = List.copyOf(launcher);
    this.common = List.copyOf(common);
    this.addressOf = addressOf;
  }

  private static Xid service(String handoff) {
    byte[] name = ("xmig handoff " + handoff).getBytes(StandardCharsets.UTF_8);
    return Xid.of(XidType.SID, DigestUtils.sha1(name));
  }

  @Override
  public String address(String handoff) {
    return addressOf.apply(service(handoff));
  }

  @Override
  public PipeCommand receiver(Path directory, String handoff) {
    return command(directory, handoff, "receive", "--service", service(handoff).toString());
  }

  @Override
  public PipeCommand sender(Path directory, String handoff, String address) {
    return command(directory, handoff, "send", "--to", address);
  }

  private PipeCommand command(
      Path directory, String handoff, String subcommand, String option, String value) {
    List<String> words = new ArrayList<>(launcher);
    words.add(subcommand);
    words.add(option);
    words.add(value);
    words.addAll(common);
    words.add("--status");
    words.add(directory.resolve(subcommand + "-" + handoff + ".jsonl").toString());
    return PipeCommand.in(directory, subcommand + "-" + handoff, words);
  }
}
