package io.xmig.testbed.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a command writes its report: looked at before the run, not after it. */
public final class ReportDirectory {
  /** JSON, CSV and page, some times what the longest run takes. */
  private static final long REPORT_BYTES = 4L << 20;

  private ReportDirectory() {}

  /**
   * Makes the directory if it is not there.
   *
   * @throws IOException if a report cannot be written there, with what to do
   */
  public static void prepare(Path report) throws IOException {
    prepare(report, REPORT_BYTES);
  }

  /**
   * The same for another size.
   *
   * @param bytes that a report may take
   */
  static void prepare(Path report, long bytes) throws IOException {
    try {
      Files.createDirectories(report);
    } catch (IOException e) {
      throw new IOException(
          "cannot make the directory " + report + " for the report: " + e.getMessage(), e);
    }
    if (!Files.isWritable(report)) {
      throw new IOException("cannot write into " + report + "; give --report a directory of yours");
    }
    long free = Files.getFileStore(report).getUsableSpace();
    if (free < bytes) {
      throw new IOException(
          "only "
              + free / 1024
              + " KiB are free in "
              + report
              + "; a report takes up to "
              + bytes / 1024
              + " KiB: make room or give --report another directory");
    }
  }
}
