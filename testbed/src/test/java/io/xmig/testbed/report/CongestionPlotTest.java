package io.xmig.testbed.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.testbed.report.CongestionRun.Path;
import io.xmig.testbed.report.CongestionRun.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;

/**
 * How much of a path CHUNK and STREAM use and how evenly two flows share it, over a grid of rate ×
 * round trip × loss × buffer, as plots and a table in {@code target/congestion}. A small part of
 * the grid unless {@code -Dxmig.grid=full} asks for all of it, some minutes of computing.
 */
class CongestionPlotTest {
  private static final boolean FULL = "full".equals(System.getProperty("xmig.grid"));
  private static final double[] RATES = FULL ? new double[] {10, 100, 1000} : new double[] {100};
  private static final double[] RTTS_MS = FULL ? new double[] {1, 20, 100} : new double[] {1, 20};
  private static final double[] LOSSES =
      FULL ? new double[] {0, 0.005, 0.01} : new double[] {0, 0.005};
  private static final double[] BUFFERS = FULL ? new double[] {0.5, 1, 4} : new double[] {1};

  /** Beyond this only memory and time of the machine would be measured. */
  private static final double MOST_BDP_BYTES = 4e6;

  private static final java.nio.file.Path DIRECTORY = java.nio.file.Path.of("target", "congestion");

  private record Point(Path path, double used, double jain, double sum) {}

  @ParameterizedTest
  @EnumSource(Transport.class)
  void usesThePathAndSharesItEvenly(Transport transport) throws IOException {
    Files.createDirectories(DIRECTORY);
    List<Point> points = new ArrayList<>();
    for (double rate : RATES) {
      for (double loss : LOSSES) {
        for (double buffer : BUFFERS) {
          for (double rtt : RTTS_MS) {
            Path path = new Path(rate, rtt, loss, buffer);
            if (path.bdpBytes() <= MOST_BDP_BYTES) {
              points.add(measure(transport, path));
            }
          }
        }
      }
      plot(transport, rate, "share of the link's rate, one flow", "used", points);
      plot(transport, rate, "Jain's index of two flows", "fairness", points);
    }
    Files.writeString(
        DIRECTORY.resolve(name(transport) + ".csv"), csv(points), StandardCharsets.UTF_8);
    for (Point point : points) {
      if (isOfTheSmallGrid(point.path())) {
        assertThat(point.used()).as("%s %s", transport, point).isGreaterThan(0.8);
        assertThat(point.sum()).as("%s %s", transport, point).isGreaterThan(0.8);
        assertThat(point.jain()).as("%s %s", transport, point).isGreaterThan(0.8);
      }
    }
    assertThat(DIRECTORY.resolve(name(transport) + "-used-100mbit.png")).isNotEmptyFile();
  }

  private static boolean isOfTheSmallGrid(Path path) {
    return path.megabit() == 100
        && path.rttMs() <= 20
        && path.loss() <= 0.005
        && path.buffer() == 1;
  }

  private static Point measure(Transport transport, Path path) {
    double[] two = CongestionRun.shares(transport, path, 2);
    return new Point(
        path,
        CongestionRun.shares(transport, path, 1)[0],
        CongestionRun.jain(two),
        Arrays.stream(two).sum());
  }

  private static void plot(
      Transport transport, double rate, String title, String what, List<Point> points)
      throws IOException {
    XYChart chart =
        new XYChartBuilder()
            .width(800)
            .height(420)
            .title(String.format(Locale.ROOT, "%s, %.0f Mbit/s: %s", transport, rate, title))
            .xAxisTitle("round trip, ms")
            .yAxisTitle("")
            .build();
    chart.getStyler().setXAxisLogarithmic(true).setYAxisMin(0.0).setYAxisMax(1.05);
    for (double loss : LOSSES) {
      for (double buffer : BUFFERS) {
        List<Point> line =
            points.stream()
                .filter(
                    p ->
                        p.path().megabit() == rate
                            && p.path().loss() == loss
                            && p.path().buffer() == buffer)
                .toList();
        if (!line.isEmpty()) {
          chart.addSeries(
              String.format(Locale.ROOT, "%.1f %% loss, buffer %.1f BDP", 100 * loss, buffer),
              line.stream().map(p -> p.path().rttMs()).toList(),
              line.stream().map(what.equals("used") ? Point::used : Point::jain).toList());
        }
      }
    }
    String file = String.format(Locale.ROOT, "%s-%s-%.0fmbit.png", name(transport), what, rate);
    Files.write(
        DIRECTORY.resolve(file),
        BitmapEncoder.getBitmapBytes(chart, BitmapEncoder.BitmapFormat.PNG));
  }

  private static String name(Transport transport) {
    return transport.name().toLowerCase(Locale.ROOT);
  }

  private static String csv(List<Point> points) {
    StringBuilder lines = new StringBuilder("mbit,rtt_ms,loss,buffer_bdp,used,jain,sum_of_two\n");
    for (Point p : points) {
      lines.append(
          String.format(
              Locale.ROOT,
              "%.0f,%.0f,%.3f,%.1f,%.3f,%.3f,%.3f%n",
              p.path().megabit(),
              p.path().rttMs(),
              p.path().loss(),
              p.path().buffer(),
              p.used(),
              p.jain(),
              p.sum()));
    }
    return lines.toString();
  }
}
