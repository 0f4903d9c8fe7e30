package io.xmig.xia.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads times such as {@code 200ms}, {@code 60s}, {@code 5m}, {@code 24h}, {@code 7d}; a bare
 * number means seconds.
 */
public final class TimeSpan implements ITypeConverter<Duration> {
  private static final Pattern FORM = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,6})?)(ms|s|m|h|d)?");

  @Override
  public Duration convert(String text) {
    Matcher m = FORM.matcher(text.trim());
    if (!m.matches()) {
      throw new TypeConversionException(
          "'" + text + "' is not a time such as 200ms, 60s, 5m or 24h");
    }
    String unit = m.group(2) == null ? "s" : m.group(2);
    double nanos =
        switch (unit) {
          case "ms" -> 1e6;
          case "m" -> 60e9;
          case "h" -> 3600e9;
          case "d" -> 86_400e9;
          default -> 1e9;
        };
    return Duration.ofNanos((long) (Double.parseDouble(m.group(1)) * nanos));
  }
}
