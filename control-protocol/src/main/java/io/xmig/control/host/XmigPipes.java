package io.xmig.control.host;

import io.xmig.control.pipe.LastProgress;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.PipeCommand;
import io.xmig.control.resident.PreferredPipe;
import io.xmig.control.resident.ResidentPipe;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.commons.codec.digest.DigestUtils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code xmig send} and {@code xmig receive}: each hand-off has a service of its own, so that
 * streams of several migrations cannot meet.
 */
public final class XmigPipes implements Pipes {
  private static final Logger log = LoggerFactory.getLogger(XmigPipes.class);

  private final List<String> launcher;
  private final List<String> common;
  private final Function<Xid, String> addressOf;
  private final @Nullable Path control;
  private final boolean mayStartProcesses;

  /**
   * Pipes that are processes of their own.
   *
   * @param launcher program and first arguments of the xmig command
   * @param common options that both pipes get, e.g. which stack to use
   * @param addressOf this host's address of a service, as text
   */
  public XmigPipes(List<String> launcher, List<String> common, Function<Xid, String> addressOf) {
    this(launcher, common, addressOf, null, true);
  }

  private XmigPipes(
      List<String> launcher,
      List<String> common,
      Function<Xid, String> addressOf,
      @Nullable Path control,
      boolean mayStartProcesses) {
    this.launcher = List.copyOf(launcher);
    this.common = List.copyOf(common);
    this.addressOf = addressOf;
    this.control = control;
    this.mayStartProcesses = mayStartProcesses;
  }

  /**
   * Pipes in a process that stays; where it cannot take one, that is a process of its own.
   *
   * @param socket the control socket of that process ({@code xmig pipes})
   */
  public XmigPipes preferablyResident(Path socket) {
    return new XmigPipes(launcher, common, addressOf, socket, true);
  }

  /** The same without the processes of their own. */
  public XmigPipes resident(Path socket) {
    return new XmigPipes(launcher, common, addressOf, socket, false);
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
  public MigrationPipe receiver(Path directory, String handoff) {
    return command(
        directory, handoff, "receive", List.of("--service", service(handoff).toString()));
  }

  @Override
  public MigrationPipe sender(
      Path directory, String handoff, String address, MigrationSettings settings) {
    return command(
        directory,
        handoff,
        "send",
        List.of(
            "--to",
            address,
            "--outage-target",
            settings.outageTargetMs() + "ms",
            "--downtime-limit",
            settings.downtimeLimitMs() + "ms"));
  }

  /** A sender with the options' defaults. */
  public MigrationPipe sender(Path directory, String handoff, String address) {
    return command(directory, handoff, "send", List.of("--to", address));
  }

  @Override
  public Optional<LastProgress> progress(Path directory, String handoff) {
    Path file = status(directory, name("send", handoff));
    try {
      return LastProgress.read(file);
    } catch (IOException e) {
      log.debug("cannot read {}: {}", file, e.getMessage());
      return Optional.empty();
    }
  }

  private static String name(String subcommand, String handoff) {
    return subcommand + "-" + handoff;
  }

  private static Path status(Path directory, String name) {
    return directory.resolve(name + ".jsonl");
  }

  private MigrationPipe command(
      Path directory, String handoff, String subcommand, List<String> options) {
    String name = name(subcommand, handoff);
    List<String> words = new ArrayList<>();
    words.add(subcommand);
    words.addAll(options);
    words.addAll(common);
    words.add("--status");
    words.add(status(directory, name).toString());
    List<String> command = new ArrayList<>(launcher);
    command.addAll(words);
    MigrationPipe process = PipeCommand.in(directory, name, command);
    if (control == null) {
      return process;
    }
    ResidentPipe resident = new ResidentPipe(control, directory, name, words);
    return mayStartProcesses ? new PreferredPipe(resident, process) : resident;
  }
}
