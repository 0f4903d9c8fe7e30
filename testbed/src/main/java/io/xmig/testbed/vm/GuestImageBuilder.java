package io.xmig.testbed.vm;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Builds guest images on demand and keeps them in a cache directory, keyed by everything they are
 * made from.
 *
 * <p>Needs no root: the kernel package is downloaded and unpacked, not installed; the disk is
 * filled by {@code mkfs.ext4 -d}, not mounted.
 *
 * @threading any; builds of several processes take turns on a lock file
 */
public final class GuestImageBuilder {
  /** Part of every key: raise it when the way of building changes. */
  static final String RECIPE = "9";

  private static final Duration TOOL_LIMIT = Duration.ofMinutes(3);

  private static final int IMAGES_KEPT = 6;

  /** An image used a moment ago may be about to be used again by a run in another process. */
  private static final long IMAGE_LIFE_MILLIS = 2 * 3_600_000L;

  private static final ReentrantLock TURN = new ReentrantLock();
  private static final long DISK_BYTES = 4L << 30;
  private final Path cache;
  private final String classPath;
  private final Consumer<String> log;
  private boolean withDisk;
  private int diskContentMib;
  private final TreeMap<Path, List<Path>> programs = new TreeMap<>();

  /**
   * A builder of images that hold the jars of {@code classPath}.
   *
   * @param cache directory, made if needed
   * @param log is told what takes time, one line each
   */
  public GuestImageBuilder(Path cache, String classPath, Consumer<String> log) {
    this.cache = cache.toAbsolutePath();
    this.classPath = classPath;
    this.log = log;
  }

  /** A builder for the jars of this very program with the cache of this user. */
  public static GuestImageBuilder ofThisProgram(Consumer<String> log) {
    return new GuestImageBuilder(defaultCache(), System.getProperty("java.class.path", ""), log);
  }

  /** {@code $XMIG_CACHE}, else {@code ~/.cache/xmig}. */
  public static Path defaultCache() {
    String configured = System.getenv("XMIG_CACHE");
    return configured == null || configured.isEmpty()
        ? Path.of(System.getProperty("user.home"), ".cache", "xmig")
        : Path.of(configured);
  }

  /**
   * Puts the root on a 4 GiB disk instead of into memory.
   *
   * @param contentMib this much incompressible data is put on the disk besides the system
   */
  public GuestImageBuilder disk(int contentMib) {
    this.withDisk = true;
    this.diskContentMib = contentMib;
    return this;
  }

  /**
   * Puts a program of this machine into the image as {@code /bin/NAME}, with the libraries it
   * needs, and its data as {@code /xmig/NAME}.
   */
  public GuestImageBuilder program(Path binary, Path... data) {
    programs.put(binary, List.of(data));
    return this;
  }

  /** Debian packages that are missing on this machine for building an image; empty when ready. */
  public List<String> missingPackages() {
    TreeSet<String> missing = new TreeSet<>();
    for (HostTool tool : HostTool.values()) {
      if (tool.find() == null) {
        missing.add(tool.debianPackage());
      }
    }
    if (!Files.isExecutable(GuestParts.jlink())) {
      missing.add("openjdk-17-jdk-headless");
    }
    return List.copyOf(missing);
  }

  /**
   * Gives the image, from the cache if it was built before.
   *
   * @throws GuestImageException when something is missing or fails; the message says what to do
   */
  public GuestImage build() {
    List<String> missing = missingPackages();
    if (!missing.isEmpty()) {
      throw new GuestImageException(
          "building the guest image needs more Debian packages; install them with: "
              + HostTool.installLine(missing));
    }
    if (!System.getProperty("os.arch").equals("amd64")) {
      throw new GuestImageException(
          "guest images are built on amd64 only, this is " + System.getProperty("os.arch"));
    }
    // a file lock is held by the whole JVM, so its threads take turns before it
    TURN.lock();
    try {
      Files.createDirectories(cache);
      try (FileChannel channel =
              FileChannel.open(
                  cache.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = lock(channel)) {
        return buildLocked();
      }
    } catch (IOException e) {
      throw new GuestImageException(
          "cannot build the guest image in "
              + cache
              + ": "
              + e.getMessage()
              + "; XMIG_CACHE names another directory",
          e);
    } finally {
      TURN.unlock();
    }
  }

  private FileLock lock(FileChannel channel) throws IOException {
    FileLock lock = channel.tryLock();
    if (lock == null) {
      log.accept("waiting for another build of a guest image in " + cache);
      lock = channel.lock();
    }
    return lock;
  }

  private GuestImage buildLocked() throws IOException {
    dropHalfBuilt();
    GuestParts parts = new GuestParts(cache, log);
    Path kernel = parts.kernel();
    Path jre = parts.jre();
    GuestClassPath jars = GuestClassPath.of(classPath);
    byte[] busybox = Files.readAllBytes(HostTool.BUSYBOX.require());
    byte[] init = resource("init.sh");
    byte[] sbinInit = resource("sbin-init.sh");

    MessageDigest digest = DigestUtils.getSha256Digest();
    digest.update(RECIPE.getBytes(StandardCharsets.UTF_8));
    digest.update(kernel.getFileName().toString().getBytes(StandardCharsets.UTF_8));
    digest.update(jre.getFileName().toString().getBytes(StandardCharsets.UTF_8));
    digest.update(busybox);
    digest.update(init);
    digest.update(sbinInit);
    digest.update(("disk " + withDisk + " " + diskContentMib).getBytes(StandardCharsets.UTF_8));
    for (var program : programs.entrySet()) {
      digest.update(program.getKey().toString().getBytes(StandardCharsets.UTF_8));
      digest.update(Files.readAllBytes(program.getKey()));
      for (Path data : program.getValue()) {
        digest.update(Files.readAllBytes(data));
      }
    }
    jars.updateKey(digest);
    String key = HexFormat.of().formatHex(digest.digest(), 0, 10);

    Path image = cache.resolve("image").resolve(key);
    if (!Files.isDirectory(image)) {
      long start = System.nanoTime();
      Path work = Files.createTempDirectory(cache, "building-");
      try {
        Path tree = Files.createDirectories(work.resolve("root"));
        Path early = withDisk ? Files.createDirectories(work.resolve("early")) : tree;
        Path made = Files.createDirectories(work.resolve("made"));
        GuestTree root = new GuestTree(tree, log);
        new GuestTree(early, log).addSystem(busybox, init, sbinInit, kernel);
        if (withDisk) {
          root.addSystem(busybox, init, sbinInit, null);
        }
        root.addJava(jre, jars);
        root.addPrograms(programs);
        writeArchive(early, made.resolve("initrd"));
        if (withDisk) {
          makeDisk(tree, made.resolve("disk.raw"));
        }
        Files.createDirectories(image.getParent());
        Files.move(made, image, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        FileTrees.delete(work);
      }
      log.accept(
          String.format("guest image %s built in %.1f s", key, (System.nanoTime() - start) / 1e9));
    }
    Files.setLastModifiedTime(image, FileTime.fromMillis(System.currentTimeMillis()));
    dropOldImages(image);
    Path disk = image.resolve("disk.raw");
    return new GuestImage(
        kernel.resolve("vmlinuz"), image.resolve("initrd"), withDisk ? disk : null, key);
  }

  private void writeArchive(Path tree, Path target) throws IOException {
    // not compressed: unpacking costs a translated processor more than loading a larger file
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(target), 1 << 18);
        CpioWriter archive = new CpioWriter(out, (int) (GuestTree.FILE_TIME_MILLIS / 1000))) {
      archive.addTree(tree);
    }
  }

  private void makeDisk(Path tree, Path target) throws IOException {
    if (diskContentMib > 0) {
      Path content = Files.createDirectories(tree.resolve("data")).resolve("content");
      byte[] block = new byte[1 << 20];
      Random random = new Random(42);
      try (OutputStream out = Files.newOutputStream(content)) {
        for (int i = 0; i < diskContentMib; i++) {
          random.nextBytes(block);
          out.write(block);
        }
      }
    }
    try (RandomAccessFile file = new RandomAccessFile(target.toFile(), "rw")) {
      file.setLength(DISK_BYTES);
    }
    HostTool.MKFS_EXT4.run(
        tree,
        TOOL_LIMIT,
        List.of(
            "-q",
            "-F",
            "-d",
            tree.toString(),
            "-O",
            "^has_journal",
            "-E",
            "root_owner=0:0,lazy_itable_init=0",
            target.toString()));
  }

  private void dropOldImages(Path current) throws IOException {
    List<Path> images;
    try (Stream<Path> list = Files.list(current.getParent())) {
      images =
          new ArrayList<>(
              list.sorted(Comparator.comparing(GuestImageBuilder::modified).reversed()).toList());
    }
    for (Path old : images.subList(Math.min(IMAGES_KEPT, images.size()), images.size())) {
      if (modified(old).toMillis() < System.currentTimeMillis() - IMAGE_LIFE_MILLIS) {
        FileTrees.delete(old);
      }
    }
  }

  /** What a killed build left; nobody builds while we hold the lock. */
  private void dropHalfBuilt() throws IOException {
    List<Path> remains;
    try (Stream<Path> list = Files.list(cache)) {
      remains = list.filter(path -> path.getFileName().toString().startsWith("building-")).toList();
    }
    for (Path path : remains) {
      FileTrees.delete(path);
    }
  }

  private static FileTime modified(Path path) {
    try {
      return Files.getLastModifiedTime(path);
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = GuestImageBuilder.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("resource missing from the program: " + name);
      }
      return in.readAllBytes();
    }
  }
}
