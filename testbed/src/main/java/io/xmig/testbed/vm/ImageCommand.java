package io.xmig.testbed.vm;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xmig image}: builds the guest image, or says where it is. */
@Command(
    name = "image",
    mixinStandardHelpOptions = true,
    description = "Build the guest image if needed and say where its parts are.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig image                   root in memory",
      "  xmig image --disk 300        root on a 4 GiB disk with 300 MiB of data",
      "  xmig image --run '/xmig/guest ballast=280' --json"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:the image is there", "1:it could not be built", "2:wrong usage"})
public final class ImageCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--disk",
      paramLabel = "MIB",
      description = "Root on a 4 GiB disk that holds MIB of data besides the system.")
  private @Nullable Integer diskContentMib;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "Where images are kept. Default: $XMIG_CACHE, else ~/.cache/xmig.")
  private @Nullable Path cache;

  @Option(
      names = "--run",
      paramLabel = "COMMAND",
      defaultValue = "/xmig/guest",
      description = "What the guest runs, for the kernel arguments. Default: ${DEFAULT-VALUE}.")
  private String run;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    if (diskContentMib != null && (diskContentMib < 0 || diskContentMib > 3500)) {
      throw new ParameterException(spec.commandLine(), "--disk must be 0 to 3500 MiB");
    }
    GuestImageBuilder builder =
        new GuestImageBuilder(
            cache == null ? GuestImageBuilder.defaultCache() : cache,
            System.getProperty("java.class.path", ""),
            err::println);
    if (diskContentMib != null) {
      builder.disk(diskContentMib);
    }
    GuestImage image;
    try {
      image = builder.build();
    } catch (GuestImageException e) {
      err.println("xmig image: " + e.getMessage());
      return 1;
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("key", image.key());
    facts.put("kernel", image.kernel().toString());
    facts.put("initrd", image.initrd().toString());
    if (image.disk() != null) {
      facts.put("disk", image.disk().toString());
    }
    facts.put("append", image.commandLine(Map.of(), run));
    if (json) {
      out.println(new ObjectMapper().writeValueAsString(facts));
    } else {
      facts.forEach((name, value) -> out.printf("%-7s %s%n", name, value));
    }
    return 0;
  }
}
