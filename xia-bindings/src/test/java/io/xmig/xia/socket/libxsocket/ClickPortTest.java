package io.xmig.xia.socket.libxsocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.socket.EndOfProcess;
import io.xmig.xia.socket.libxsocket.LibXsocketProvider.Argument;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the port of Click's API comes from, and what {@code --xia libxsocket:…} may say. */
class ClickPortTest {
  @TempDir Path directory;

  private ClickPort find(Map<String, String> environment) {
    return ClickPort.find(null, environment, directory, "drink");
  }

  private void file(String name, String content) throws IOException {
    Path path = directory.resolve(name);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }

  @Test
  void withoutAnyFileItIsTheDefaultOfTheLibrary() {
    assertThat(find(Map.of()).number()).isEqualTo(1500);
  }

  @Test
  void theEnvironmentGoesBeforeTheFiles() throws IOException {
    file("xsockconf.ini", "[drink]\nclick_port=1600\n");

    assertThat(find(Map.of("XMIG_CLICK_PORT", "1707")).number()).isEqualTo(1707);
    assertThat(ClickPort.find(99, Map.of("XMIG_CLICK_PORT", "1707"), directory, "drink").number())
        .isEqualTo(99);
  }

  @Test
  void theSectionOfTheProgramNamesTheHostWhosePortStandsInTheMasterFile() throws IOException {
    file("xsockconf.ini", "; comment\n[other]\nhost=router0\n[ drink ]\n host = host1 \n");
    file("xia/etc/xsockconf.ini", "[host1]\nclick_port = 1600\n[router0]\nclick_port=1700\n");

    ClickPort found = find(Map.of("XIADIR", directory.resolve("xia").toString()));

    assertThat(found.number()).isEqualTo(1600);
    assertThat(found.source()).contains("host1", "xia/etc/xsockconf.ini");
  }

  @Test
  void anotherSectionAndAnotherFileMayBeNamed() throws IOException {
    file("mine.ini", "[a]\nclick_port=1501\n[b]\nclick_port=1502\n");

    assertThat(find(Map.of("XSOCKCONF", "mine.ini", "XSOCKCONF_SECTION", "b")).number())
        .isEqualTo(1502);
  }

  @Test
  void theMasterFileMayKnowTheProgram() throws IOException {
    file("etc/xsockconf.ini", "[drink]\nclick_port=1900\n");

    assertThat(find(Map.of()).number()).isEqualTo(1900);
  }

  @Test
  void whatIsNoPortIsRefusedWithItsPlace() throws IOException {
    file("xsockconf.ini", "[drink]\nclick_port=http\n");

    assertThatThrownBy(() -> find(Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("http")
        .hasMessageContaining("xsockconf.ini");
  }

  @Test
  void theArgumentIsAPathAPortOrBoth() {
    assertThat(Argument.parse(null)).isEqualTo(new Argument(null, null, null));
    assertThat(Argument.parse("/opt/xia/libXsocket.so"))
        .isEqualTo(new Argument("/opt/xia/libXsocket.so", null, null));
    assertThat(Argument.parse("/home/a@b/libXsocket.so@1600"))
        .isEqualTo(new Argument("/home/a@b/libXsocket.so", 1600, null));
    assertThat(Argument.parse("@1600")).isEqualTo(new Argument(null, 1600, null));
    assertThat(Argument.parse("ours@1600/7778")).isEqualTo(new Argument("ours", 1600, 7778));
  }

  @Test
  void thePortOfTheControlSocketIsTheOptionsElseTheEnvironmentsElseClicksOwn() {
    assertThat(Argument.parse("@1600/7778").controlPort("9000")).isEqualTo(7778);
    assertThat(Argument.parse("@1600").controlPort("9000")).isEqualTo(9000);
    assertThat(Argument.parse("@1600").controlPort(null)).isEqualTo(7777);
    assertThatThrownBy(() -> Argument.parse("@1600").controlPort("x"))
        .hasMessageContaining("XMIG_CLICK_CONTROL");
  }

  @Test
  void theLibraryIsLookedForInTheLibraryPath() throws IOException {
    file("lib/libXsocket.so", "");
    String lib = directory.resolve("lib").toString();

    assertThat(LibraryFinder.find(null, Map.of("LD_LIBRARY_PATH", "/nonexistent:" + lib)).path())
        .isEqualTo(lib + "/libXsocket.so");
    assertThat(LibraryFinder.find(lib, Map.of()).path()).isEqualTo(lib + "/libXsocket.so");
  }

  @Test
  void whatAKilledProcessLeftIsRemovedByTheNextOneAndNothingElse() throws Exception {
    ClickPort port = new ClickPort(1600, "a test");
    Process killed = new ProcessBuilder("sleep", "600").start();
    Path left = port.write(directory, killed.toHandle());
    Path own = port.write(directory, ProcessHandle.current());
    Path other = Files.writeString(directory.resolve("xmig-xsockconf-mine.ini"), "");
    ClickPort.removeStale(directory);
    assertThat(left).content().isEqualTo("[xmig]\nclick_port=1600\n");

    killed.destroyForcibly().waitFor();
    ClickPort.removeStale(directory);

    assertThat(left).doesNotExist();
    assertThat(own).exists();
    assertThat(other).exists();
  }

  @Test
  void theFileIsRemovedAlsoWhereTheProcessEndsWithoutShutdown() throws Exception {
    Path file = new ClickPort(1600, "a test").write(directory, ProcessHandle.current());
    assertThat(file).exists();

    EndOfProcess.clear();

    assertThat(file).doesNotExist();
  }
}
