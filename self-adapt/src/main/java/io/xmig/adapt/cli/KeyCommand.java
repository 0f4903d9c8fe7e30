package io.xmig.adapt.cli;

import io.xmig.adapt.trust.Delegation;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.cli.TimeSpan;
import io.xmig.xia.key.KeyFiles;
import io.xmig.xia.key.PublicIdentity;
import io.xmig.xia.key.Signer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig key}. */
@Command(
    name = "key",
    scope = CommandLine.ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "(new | show | delegate)",
    description = "Make keys whose hashes are HIDs, SIDs and ADs, and let keys speak for others.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:a file cannot be read or written", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig key new keys",
      "  xmig key show keys/3fa9….pub",
      "  xmig key delegate --key keys/vm --to keys/b.pub --scope location,names --for 24h --out b.leave"
    })
public final class KeyCommand implements Runnable {
  /** What a delegation may be for. */
  enum Scope {
    location(Delegation.SCOPE_LOCATION),
    domain(Delegation.SCOPE_DOMAIN),
    names(Delegation.SCOPE_NAMES);

    private final int bit;

    Scope(int bit) {
      this.bit = bit;
    }
  }

  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "expected 'new', 'show' or 'delegate'");
  }

  @Command(
      name = "new",
      mixinStandardHelpOptions = true,
      description = "Make a key pair; prints its private file.")
  int create(
      @Parameters(
              paramLabel = "DIR",
              description = "Where the files go; made if it does not exist.")
          Path directory) {
    return attempt(() -> out().println(KeyFiles.create(directory)));
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "Print the identifiers of a key.")
  int show(@Parameters(paramLabel = "FILE", description = "A .pub file.") Path file) {
    return attempt(
        () -> {
          PublicIdentity identity = KeyFiles.loadPublic(file);
          for (XidType type : List.of(XidType.HID, XidType.SID, XidType.AD)) {
            out().println(identity.xid(type));
          }
        });
  }

  @Command(
      name = "delegate",
      mixinStandardHelpOptions = true,
      description = "Let another key speak for this one, for some purposes and some time.")
  int delegate(
      @Option(
              names = "--key",
              required = true,
              paramLabel = "FILE",
              description = "Private key that gives the leave.")
          Path key,
      @Option(
              names = "--to",
              required = true,
              paramLabel = "FILE",
              description = "Public key (.pub) that gets it.")
          Path to,
      @Option(
              names = "--scope",
              required = true,
              split = ",",
              paramLabel = "SCOPE",
              description = "One or more of ${COMPLETION-CANDIDATES}.")
          List<Scope> scopes,
      @Option(
              names = "--for",
              required = true,
              paramLabel = "TIME",
              converter = TimeSpan.class,
              description = "How long from now, e.g. 24h.")
          Duration time,
      @Option(
              names = "--out",
              required = true,
              paramLabel = "FILE",
              description = "Where to write the delegation.")
          Path file) {
    return attempt(
        () -> {
          Signer owner = KeyFiles.load(key);
          int scope = 0;
          for (Scope s : scopes) {
            scope |= s.bit;
          }
          long now = System.currentTimeMillis() / 1000;
          Delegation leave =
              Delegation.issue(
                  owner,
                  KeyFiles.loadPublic(to),
                  scope,
                  now - 60,
                  now + Math.max(1, time.toSeconds()));
          Files.writeString(file, Base64.getMimeEncoder().encodeToString(leave.encode()) + "\n");
        });
  }

  private PrintWriter out() {
    return Objects.requireNonNull(spec).commandLine().getOut();
  }

  private interface FileWork {
    void run() throws IOException;
  }

  private int attempt(FileWork work) {
    try {
      work.run();
      out().flush();
      return 0;
    } catch (IOException | XiaException e) {
      Objects.requireNonNull(spec)
          .commandLine()
          .getErr()
          .println(e instanceof IOException ? "cannot use file " + e.getMessage() : e.getMessage());
      return 1;
    }
  }
}
