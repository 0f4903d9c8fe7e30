package io.xmig.xia.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xmig doctor}: which XIA stacks can be used here, and what to do if none can. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Say which XIA stacks can be used on this machine: the library that --xia libxsocket would"
          + " load and its functions, who answers on Click's API ports and ControlSocket, and which"
          + " nodes run.",
      ""
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig doctor",
      "  xmig doctor --library /opt/xia-core/api/lib/libXsocket.so --port 1600",
      "  xmig doctor --json"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:a stack can be used",
      "1:none can; the last lines say what to do",
      "2:wrong usage"
    })
public final class DoctorCommand implements Callable<Integer> {
  private static final int MAX_PORT = 65_535;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--library",
      paramLabel = "PATH",
      description = {
        "The library to look at: a file, or 'ours' for the one that comes with xmig.",
        "Default: libXsocket.so in $LD_LIBRARY_PATH, else ours."
      })
  private @Nullable String library;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "API port to ask. Default: $XMIG_CLICK_PORT, else that of xsockconf.ini.")
  private @Nullable Integer port;

  @Option(
      names = "--control",
      paramLabel = "PORT",
      defaultValue = "7777",
      description = "TCP port of the ControlSocket. Default: ${DEFAULT-VALUE}.")
  private int control;

  @Option(names = "--json", description = "Print everything as JSON.")
  private boolean json;

  @Override
  public Integer call() throws JsonProcessingException {
    CommandSpec command = Objects.requireNonNull(spec);
    if (port != null && (port < 1 || port > MAX_PORT) || control < 1 || control > MAX_PORT) {
      throw new ParameterException(command.commandLine(), "ports are 1 to 65535");
    }
    Diagnosis found = Diagnosis.make(library, port, control);
    PrintWriter out = command.commandLine().getOut();
    if (json) {
      out.println(
          new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(found));
    } else {
      print(found, out);
    }
    out.flush();
    return found.usable() ? 0 : 1;
  }

  private static void print(Diagnosis found, PrintWriter out) {
    Diagnosis.Library library = found.library();
    out.println("library   " + (library.path() == null ? "none" : library.path()));
    out.println("          from " + library.origin());
    if (library.problem() == null) {
      out.println("          has every function of release 1.1" + also(library.newer()));
    } else {
      out.println("          " + library.problem());
    }
    for (Diagnosis.Port port : found.ports()) {
      out.println("api port  " + port.port() + " (" + port.source() + ")");
      if (port.answers() == null) {
        out.println("          " + port.problem());
      } else {
        out.println(
            "          "
                + port.answers()
                + " answers as "
                + port.ad()
                + " "
                + port.hid()
                + (port.fourId() == null ? "" : " " + port.fourId()));
      }
    }
    Diagnosis.Control control = found.control();
    out.println("control   " + control.port());
    out.println(
        "          "
            + (control.problem() != null
                ? control.problem()
                : control.banner() + ", nodes " + String.join(", ", control.nodes())));
    out.println("nodes     " + (found.nodes().isEmpty() ? "none of this user" : ""));
    found.nodes().forEach(node -> out.println("          --xia node:" + node));
    found.advice().forEach(next -> out.println("next      " + next));
  }

  private static String also(List<String> newer) {
    return newer.isEmpty() ? "" : ", and of later ones " + String.join(", ", newer);
  }
}
