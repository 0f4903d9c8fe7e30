package io.xmig.testbed;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Holds the picture of docs/architecture.md: who may know whom. */
@AnalyzeClasses(packages = "io.xmig", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String XIA = "io.xmig.xia..";
  private static final String CHUNK = "io.xmig.chunk..";
  private static final String CONTROL = "io.xmig.control..";
  private static final String ADAPT = "io.xmig.adapt..";
  private static final String TESTBED = "io.xmig.testbed..";

  @ArchTest
  static final ArchRule bindingsKnowNoOtherRoom =
      noClasses()
          .that()
          .resideInAPackage(XIA)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CHUNK, CONTROL, ADAPT, TESTBED);

  @ArchTest
  static final ArchRule chunkTransferKnowsOnlyTheBindings =
      noClasses()
          .that()
          .resideInAPackage(CHUNK)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CONTROL, ADAPT, TESTBED);

  @ArchTest
  static final ArchRule controlProtocolDoesNotKnowHowRoutesAreFound =
      noClasses()
          .that()
          .resideInAPackage(CONTROL)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ADAPT, TESTBED);

  @ArchTest
  static final ArchRule selfAdaptKnowsNothingOfTheMigrationStream =
      noClasses()
          .that()
          .resideInAPackage(ADAPT)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              CHUNK, "io.xmig.control.session..", "io.xmig.control.pipe..", TESTBED);

  @ArchTest
  static final ArchRule addressesAndCodecsDoNoInputOrOutput =
      noClasses()
          .that()
          .resideInAnyPackage("io.xmig.xia.addr..", "io.xmig.xia.wire..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "java.net..",
              "java.nio.channels..",
              "java.nio.file..",
              "com.sun.jna..",
              "java.util.concurrent..");

  @ArchTest
  static final ArchRule theNodeIsSansIo =
      noClasses()
          .that()
          .resideInAPackage("io.xmig.xia.node..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "java.net..",
              "java.nio.channels..",
              "com.sun.jna..",
              "io.xmig.xia.link..",
              "io.xmig.xia.cli..");

  @ArchTest
  static final ArchRule theNodeReadsNoClock =
      noClasses()
          .that()
          .resideInAPackage("io.xmig.xia.node..")
          .should()
          .callMethod(System.class, "nanoTime")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(Thread.class, "sleep", long.class);

  @ArchTest
  static final ArchRule sessionsAreSansIo =
      noClasses()
          .that()
          .resideInAPackage("io.xmig.control.session..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net..", "java.nio.channels..", "java.lang.ProcessBuilder");

  @ArchTest
  static final ArchRule nativeCodeIsBehindTwoDoors =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.xmig.xia.link.posix..", "io.xmig.xia.socket.libxsocket..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.sun.jna..");

  @ArchTest
  static final ArchRule modulesHaveNoCycles =
      slices().matching("io.xmig.(*)..").should().beFreeOfCycles();
}
