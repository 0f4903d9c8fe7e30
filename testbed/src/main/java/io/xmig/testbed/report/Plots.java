package io.xmig.testbed.report;

import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws the plots of a report as PNG images. */
final class Plots {
  private static final int WIDTH = 1000;
  private static final int HEIGHT = 300;
  private static final Color LINE = new Color(0x1f5fa8);
  private static final Color LOSS = new Color(0xc0392b);
  private static final Color[] PALETTE = {LINE, new Color(0xd9822b), new Color(0x2e8b57)};

  private static final Color MOVING = new Color(0xe8f0fb);
  private static final Color AWAY = new Color(0xf6c9c2);

  /** The last bytes of a stream are written a little after the migration counts as done. */
  private static final double LATE_MS = 500;

  private Plots() {}

  /** Round-trip times over time, lost probes as marks on the axis, migrations as shaded phases. */
  static String rtt(RunResult result) throws IOException {
    XYChart chart = chart("Xping round-trip time", "ms");
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    List<Double> lost = new ArrayList<>();
    for (Double[] point : result.series().xpingRttMs()) {
      if (point[1] == null) {
        lost.add(point[0] / 1000);
      } else {
        x.add(point[0] / 1000);
        y.add(point[1]);
      }
    }
    double top = y.stream().mapToDouble(Double::doubleValue).max().orElse(1);
    phases(chart, result, top);
    if (!x.isEmpty()) {
      dots(chart.addSeries("answered", x, y), LINE, 2);
    }
    if (!lost.isEmpty()) {
      dots(chart.addSeries("lost", lost, lost.stream().map(t -> 0.0).toList()), LOSS, 5);
    }
    return png(chart);
  }

  /** Bytes of the migration stream per second over time. */
  static String throughput(RunResult result) throws IOException {
    XYChart chart = chart("Migration stream", "MB/s");
    List<Double[]> points = result.series().throughputMBps();
    double top = points.stream().mapToDouble(p -> p[1]).max().orElse(1);
    phases(chart, result, top);
    boolean named = false;
    for (RunResult.Migration m : result.migrations()) {
      double until = m.startedAtMs() + m.totalMs() + LATE_MS;
      List<Double[]> own =
          points.stream().filter(p -> p[0] >= m.startedAtMs() && p[0] <= until).toList();
      if (own.isEmpty()) {
        continue;
      }
      XYSeries series =
          chart.addSeries(
              named ? "stream of migration " + m.index() : "written to the destination QEMU",
              own.stream().map(p -> p[0] / 1000).toList(),
              own.stream().map(p -> p[1]).toList());
      series.setMarker(SeriesMarkers.NONE).setShowInLegend(!named);
      series.setLineColor(LINE);
      series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Line);
      named = true;
    }
    return png(chart);
  }

  /** Time between answers of the calculation service. */
  static String calGaps(RunResult result) throws IOException {
    XYChart chart = chart("Cal: time between answers", "ms");
    double top = 1;
    for (List<Double[]> points : result.series().calGapsMs().values()) {
      top = Math.max(top, points.stream().mapToDouble(p -> p[1]).max().orElse(1));
    }
    phases(chart, result, top);
    int color = 0;
    for (Map.Entry<String, List<Double[]>> socket : result.series().calGapsMs().entrySet()) {
      if (!socket.getValue().isEmpty()) {
        dots(
            chart.addSeries(
                socket.getKey(),
                socket.getValue().stream().map(p -> p[0] / 1000).toList(),
                socket.getValue().stream().map(p -> p[1]).toList()),
            PALETTE[color % PALETTE.length],
            3);
      }
      color++;
    }
    return png(chart);
  }

  private static XYChart chart(String title, String unit) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("seconds since the start of the run")
            .yAxisTitle(unit)
            .build();
    chart
        .getStyler()
        .setDefaultSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter)
        .setLegendPosition(Styler.LegendPosition.OutsideS)
        .setLegendLayout(Styler.LegendLayout.Horizontal)
        .setLegendBorderColor(Color.WHITE)
        .setChartBackgroundColor(Color.WHITE)
        .setPlotBorderVisible(false);
    chart.getStyler().setYAxisMin(0.0);
    return chart;
  }

  private static void dots(XYSeries series, Color color, int size) {
    series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(color);
    series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    series.setLineColor(color);
  }

  /** Shades each migration, and in it the time in which nobody was answered. */
  private static void phases(XYChart chart, RunResult result, double top) {
    boolean first = true;
    for (RunResult.Migration m : result.migrations()) {
      double from = m.startedAtMs() / 1000;
      band(chart, first ? "migration" : "migration " + m.index(), from, m.totalMs(), top, MOVING)
          .setShowInLegend(first);
      Double stopped = stoppedAtMs(m);
      if (stopped != null) {
        band(
                chart,
                first ? "outage" : "outage " + m.index(),
                stopped / 1000,
                m.outageMs(),
                top,
                AWAY)
            .setShowInLegend(first);
      }
      first = false;
    }
  }

  private static @Nullable Double stoppedAtMs(RunResult.Migration m) {
    return m.timeline().stream()
        .filter(e -> e.name().endsWith(": stop"))
        .map(RunResult.Event::atMs)
        .findFirst()
        .orElse(null);
  }

  private static XYSeries band(
      XYChart chart, String name, double fromS, double lengthMs, double top, Color color) {
    double toS = fromS + lengthMs / 1000;
    XYSeries area =
        chart.addSeries(
            name, List.of(fromS, fromS, toS, toS), List.of(0.0, top * 1.05, top * 1.05, 0.0));
    area.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Area);
    area.setMarker(SeriesMarkers.NONE);
    area.setFillColor(color);
    area.setLineColor(color);
    return area;
  }

  private static String png(XYChart chart) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BitmapEncoder.saveBitmap(chart, out, BitmapEncoder.BitmapFormat.PNG);
    return Base64.getEncoder().encodeToString(out.toByteArray());
  }
}
