package io.xmig.testbed.cli;

import java.util.Properties;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The top of the command tree: what {@code xmig} alone and {@code xmig --help} show. */
@Command(
    name = "xmig",
    mixinStandardHelpOptions = true,
    versionProvider = XmigCommand.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = {
      "Moves running virtual machines across an XIA network, live.",
      "",
      "See the whole thing at once:  testbed/intra-ad --report out",
      "Use the pipes by hand:        migrate \"exec:xmig send --to NAME_OR_DAG\""
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:it failed; the message says why and what to try", "2:wrong usage"},
    footer = {
      "",
      "xmig COMMAND --help explains a command. XMIG_LOG=INFO or DEBUG shows what happens inside.",
      "Shell completion: source <(xmig completion)"
    })
public final class XmigCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command?");
  }

  /** Version of the build and of the Java it runs on. */
  public static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws Exception {
      Properties build = new Properties();
      try (var in = XmigCommand.class.getResourceAsStream("/xmig-build.properties")) {
        if (in != null) {
          build.load(in);
        }
      }
      return new String[] {
        "xmig " + build.getProperty("version", "unknown"),
        "Java "
            + Runtime.version()
            + ", "
            + System.getProperty("os.name")
            + " "
            + System.getProperty("os.arch")
      };
    }
  }
}
