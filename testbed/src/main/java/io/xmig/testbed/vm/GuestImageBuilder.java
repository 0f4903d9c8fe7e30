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
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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
  /** Time stamp of every file in an image; a class-data archive insists on its jars' times. */
  static final long FILE_TIME_MILLIS = 1_600_000_000_000L;

  /** Part of every key: raise it when the way of building changes. */
  private static final String RECIPE = "9";

  private static final String KERNEL_PACKAGE = "linux-image-cloud-amd64";
  private static final Duration TOOL_LIMIT = Duration.ofMinutes(3);

  /** virtio_ring before virtio: the latter needs a symbol of the former. */
  private static final List<String> DRIVERS =
      List.of(
          "virtio_ring",
          "virtio",
          "virtio_pci_legacy_dev",
          "virtio_pci_modern_dev",
          "virtio_pci",
          "virtio_blk",
          "failover",
          "net_failover",
          "virtio_net");

  /** jdk.unsupported for protobuf and JNA, jdk.crypto.ec for signatures, java.xml for Logback. */
  private static final String JAVA_MODULES =
      "java.base,java.logging,java.naming,java.xml,jdk.crypto.ec,jdk.unsupported";

  private static final String CLASS_ARCHIVE = "/xmig/guest.jsa";

  private static final int IMAGES_KEPT = 6;

  /** An image used a moment ago may be about to be used again by a run in another process. */
  private static final long IMAGE_LIFE_MILLIS = 2 * 3_600_000L;

  private static final ReentrantLock TURN = new ReentrantLock();
  private static final long DISK_BYTES = 4L << 30;
  private static final Pattern LIBRARY = Pattern.compile("(?:=>\\s+|^\\s+)(/[^\\s]+)\\s+\\(0x");

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
    if (!Files.isExecutable(jlink())) {
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
          "cannot build the guest image in " + cache + ": " + e.getMessage(), e);
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
    Path kernel = kernel();
    Path jre = jre();
    GuestClassPath jars = GuestClassPath.of(classPath);
    byte[] busybox = Files.readAllBytes(HostTool.BUSYBOX.require());
    byte[] init = resource("init.sh");
    byte[] sbinInit = resource("sbin-init.sh");

    MessageDigest digest = sha256();
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
        addSystem(early, busybox, init, sbinInit, kernel);
        if (withDisk) {
          addSystem(tree, busybox, init, sbinInit, null);
        }
        addJava(tree, jre, jars);
        addPrograms(tree);
        writeArchive(early, made.resolve("initrd"));
        if (withDisk) {
          makeDisk(tree, made.resolve("disk.raw"));
        }
        Files.createDirectories(image.getParent());
        Files.move(made, image, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        delete(work);
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

  /** Gives the directory with vmlinuz and the drivers, from the cache or from Debian. */
  private Path kernel() throws IOException {
    Path kernels = Files.createDirectories(cache.resolve("kernel"));
    try (Stream<Path> list = Files.list(kernels)) {
      List<Path> found = list.filter(Files::isDirectory).sorted().toList();
      if (!found.isEmpty()) {
        return found.get(found.size() - 1);
      }
    }
    Path work = Files.createTempDirectory(cache, "building-");
    try {
      String depends = HostTool.APT_CACHE.run(work, TOOL_LIMIT, List.of("depends", KERNEL_PACKAGE));
      Matcher matcher = Pattern.compile("Depends: (linux-image-\\S+)").matcher(depends);
      if (!matcher.find()) {
        throw new GuestImageException(
            "Debian's package lists do not know " + KERNEL_PACKAGE + "; run: apt-get update");
      }
      String name = matcher.group(1);
      log.accept("downloading the guest's kernel, " + name);
      try {
        HostTool.APT_GET.run(
            work, TOOL_LIMIT, List.of("-q", "-o", "APT::Sandbox::User=root", "download", name));
      } catch (GuestImageException e) {
        throw new GuestImageException(
            e.getMessage() + "\nif the package lists are old, run: apt-get update", e);
      }
      Path deb;
      try (Stream<Path> list = Files.list(work)) {
        deb =
            list.filter(path -> path.toString().endsWith(".deb"))
                .findFirst()
                .orElseThrow(() -> new GuestImageException("apt-get download left no .deb"));
      }
      HostTool.DPKG_DEB.run(work, TOOL_LIMIT, List.of("-x", deb.toString(), "k"));
      Path made = Files.createDirectory(work.resolve("made"));
      String version = name.substring("linux-image-".length());
      Files.move(work.resolve("k/boot/vmlinuz-" + version), made.resolve("vmlinuz"));
      Path modules = work.resolve("k/lib/modules/" + version);
      for (String driver : DRIVERS) {
        try (Stream<Path> walk = Files.walk(modules)) {
          Path module =
              walk.filter(path -> path.endsWith(driver + ".ko"))
                  .findFirst()
                  .orElseThrow(
                      () -> new GuestImageException(name + " has no driver " + driver + ".ko"));
          Files.copy(module, made.resolve(driver + ".ko"));
        }
      }
      Path kernel = kernels.resolve(version);
      Files.move(made, kernel, StandardCopyOption.ATOMIC_MOVE);
      return kernel;
    } finally {
      delete(work);
    }
  }

  /** Gives a Java runtime with only the modules that the guest needs, of this JVM's version. */
  private Path jre() throws IOException {
    MessageDigest digest = sha256();
    digest.update(Files.readAllBytes(Path.of(System.getProperty("java.home"), "release")));
    digest.update((RECIPE + JAVA_MODULES).getBytes(StandardCharsets.UTF_8));
    Path jre = cache.resolve("jre").resolve(HexFormat.of().formatHex(digest.digest(), 0, 10));
    if (Files.isDirectory(jre)) {
      return jre;
    }
    log.accept("trimming a Java runtime for the guest");
    Path work = Files.createTempDirectory(cache, "building-");
    try {
      // uncompressed: smaller once the whole image is compressed, and nothing to inflate at start
      HostTool.run(
          work,
          TOOL_LIMIT,
          List.of(
              jlink().toString(),
              "--add-modules",
              JAVA_MODULES,
              "--strip-java-debug-attributes",
              "--no-man-pages",
              "--no-header-files",
              "--vm",
              "server",
              "--output",
              "jre"),
          "jlink");
      Path made = work.resolve("jre");
      // jlink drops the default class-data archive
      HostTool.run(
          work,
          TOOL_LIMIT,
          List.of(made.resolve("bin/java").toString(), "-XX:+UseSerialGC", "-Xshare:dump"),
          "java -Xshare:dump");
      Files.createDirectories(jre.getParent());
      Files.move(made, jre, StandardCopyOption.ATOMIC_MOVE);
      return jre;
    } finally {
      delete(work);
    }
  }

  private static Path jlink() {
    return Path.of(System.getProperty("java.home"), "bin", "jlink");
  }

  private static void addSystem(
      Path tree, byte[] busybox, byte[] init, byte[] sbinInit, @Nullable Path kernel)
      throws IOException {
    for (String directory : List.of("bin", "sbin", "dev", "proc", "sys", "tmp", "new", "etc")) {
      Files.createDirectories(tree.resolve(directory));
    }
    executable(tree.resolve("bin/busybox"), busybox);
    String applets = HostTool.BUSYBOX.run(tree, TOOL_LIMIT, List.of("--list"));
    for (String applet : applets.split("\n")) {
      Path link = tree.resolve("bin").resolve(applet);
      if (!applet.isBlank() && !Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
        Files.createSymbolicLink(link, Path.of("busybox"));
      }
    }
    executable(tree.resolve("sbin/init"), sbinInit);
    Files.writeString(tree.resolve("etc/passwd"), "root:x:0:0:root:/tmp:/bin/sh\n");
    Files.writeString(tree.resolve("etc/hosts"), "127.0.0.1 localhost\n");
    if (kernel != null) {
      executable(tree.resolve("init"), init);
      Path modules = Files.createDirectories(tree.resolve("modules"));
      for (String driver : DRIVERS) {
        Files.copy(kernel.resolve(driver + ".ko"), modules.resolve(driver + ".ko"));
      }
      Files.writeString(modules.resolve("order"), String.join("\n", DRIVERS) + "\n");
    }
  }

  private void addJava(Path tree, Path jre, GuestClassPath jars) throws IOException {
    Path target = tree.resolve("jre");
    copyTree(jre, target);
    Files.createDirectories(tree.resolve("xmig"));
    List<String> names = jars.install(tree.resolve("xmig/lib"));
    StringBuilder classPathInGuest = new StringBuilder();
    for (String name : names) {
      classPathInGuest
          .append(classPathInGuest.isEmpty() ? "" : ":")
          .append("/xmig/lib/")
          .append(name);
      Files.setLastModifiedTime(
          tree.resolve("xmig/lib").resolve(name), FileTime.fromMillis(FILE_TIME_MILLIS));
    }
    // the second compiler costs more than it gives when the guest's processor is itself translated
    String script =
        """
        #!/bin/busybox sh
        [ -e %1$s ] && archive=-XX:SharedArchiveFile=%1$s
        exec /jre/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xss512k \\
          -Xlog:disable -Xlog:all=error:stderr ${ARCHIVE:-$archive} \\
          ${HEAP:--Xmx96m} -XX:MaxDirectMemorySize=${DIRECT:-600m} \\
          -cp %2$s io.xmig.testbed.vm.GuestMain "$@"
        """
            .formatted(CLASS_ARCHIVE, classPathInGuest);
    executable(tree.resolve("xmig/guest"), script.getBytes(StandardCharsets.UTF_8));
    addLibraries(tree, target);
    archiveClasses(tree);
  }

  /**
   * Archives the classes of the guest's program, as far as this user may change the root directory:
   * the archive is only valid for the very paths and times that the guest will see.
   */
  private void archiveClasses(Path tree) {
    List<String> command = new ArrayList<>(List.of("unshare", "--mount"));
    if (!"root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("--user", "--map-root-user"));
    }
    // the runtime finds its own parts through /proc; the mount ends with the command
    command.addAll(
        List.of(
            "sh",
            "-c",
            "mount --rbind /proc \"$1/proc\" && exec chroot \"$1\" /bin/busybox env -i"
                + " ARCHIVE=-XX:ArchiveClassesAtExit="
                + CLASS_ARCHIVE
                + " /bin/sh /xmig/guest warm-up",
            "sh",
            tree.toString()));
    try {
      HostTool.run(tree, TOOL_LIMIT, command, "the guest's program in a changed root directory");
    } catch (GuestImageException e) {
      log.accept("no class archive in the guest image, its Java starts slower: " + e.getMessage());
    }
  }

  /** Copies the shared libraries of the runtime to where its loader looks for them. */
  private static void addLibraries(Path tree, Path jre) throws IOException {
    List<String> objects = new ArrayList<>();
    objects.add(jre.resolve("bin/java").toString());
    try (Stream<Path> walk = Files.walk(jre.resolve("lib"))) {
      walk.filter(path -> path.toString().endsWith(".so"))
          .map(Path::toString)
          .forEach(objects::add);
    }
    copyLibraries(tree, objects);
  }

  private void addPrograms(Path tree) throws IOException {
    for (var program : programs.entrySet()) {
      Path binary = program.getKey();
      Path copy = tree.resolve("bin").resolve(binary.getFileName());
      Files.copy(binary, copy, StandardCopyOption.REPLACE_EXISTING);
      copy.toFile().setExecutable(true);
      for (Path data : program.getValue()) {
        Files.copy(data, tree.resolve("xmig").resolve(data.getFileName()));
      }
      copyLibraries(tree, List.of(binary.toString()));
    }
  }

  private static void copyLibraries(Path tree, List<String> objects) throws IOException {
    TreeSet<Path> libraries = new TreeSet<>();
    for (String line : HostTool.LDD.run(tree, TOOL_LIMIT, objects).split("\n")) {
      Matcher matcher = LIBRARY.matcher(line);
      if (matcher.find() && !matcher.group(1).startsWith(tree.toString())) {
        libraries.add(Path.of(matcher.group(1)));
      }
    }
    // not linked by the runtime, but by what programs bring along (JNA's native part)
    for (String name : List.of("libdl.so.2", "libpthread.so.0", "librt.so.1")) {
      Path path = Path.of("/lib/x86_64-linux-gnu", name);
      if (Files.exists(path)) {
        libraries.add(path);
      }
    }
    for (Path library : libraries) {
      Path copy = tree.resolve(library.toString().substring(1));
      Files.createDirectories(copy.getParent());
      // the link's name, the file's content
      Files.copy(library.toRealPath(), copy, StandardCopyOption.REPLACE_EXISTING);
      copy.toFile().setExecutable(true);
    }
  }

  private void writeArchive(Path tree, Path target) throws IOException {
    // not compressed: unpacking costs a translated processor more than loading a larger file
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(target), 1 << 18);
        CpioWriter archive = new CpioWriter(out, (int) (FILE_TIME_MILLIS / 1000))) {
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
        delete(old);
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
      delete(path);
    }
  }

  private static FileTime modified(Path path) {
    try {
      return Files.getLastModifiedTime(path);
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }

  private static void executable(Path path, byte[] content) throws IOException {
    Files.write(path, content);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> walk = Files.walk(from)) {
      for (Path path : walk.toList()) {
        Path copy = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(path, copy, StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
        }
      }
    }
  }

  private static void delete(Path tree) throws IOException {
    if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(tree)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
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

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
