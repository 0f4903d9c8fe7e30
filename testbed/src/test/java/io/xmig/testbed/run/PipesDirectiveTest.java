package io.xmig.testbed.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.lang.reflect.Executable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the second compiler may have in a pipe is named in a file that no compiler of Java reads: a
 * name that nothing has any more would cost a pipe most of its speed without a word.
 */
class PipesDirectiveTest {
  private static JsonNode directives() throws Exception {
    return JsonMapper.builder()
        .enable(JsonReadFeature.ALLOW_JAVA_COMMENTS, JsonReadFeature.ALLOW_UNQUOTED_FIELD_NAMES)
        .build()
        .readTree(Path.of("src/main/jvm/pipes.json").toFile());
  }

  @Test
  void everyNameIsThatOfAMethod() throws Exception {
    JsonNode names = directives().get(0).get("match");
    assertThat(names).isNotEmpty();
    for (JsonNode name : names) {
      assertThat(exists(name.textValue())).as(name.textValue()).isTrue();
    }
  }

  @Test
  void theSearchForTheEndIsAmongThemAndTheRestIsLeftToTheFirstCompiler() throws Exception {
    JsonNode directives = directives();
    assertThat(directives.get(0).get("match"))
        .extracting(JsonNode::textValue)
        .contains(
            "io/xmig/control/session/QemuStream.searchInside",
            "java/nio/DirectByteBuffer.getLong",
            "sun/security/provider/SHA.*",
            "sun/security/provider/SHA2.*");
    assertThat(directives.get(0).at("/c2/Exclude").booleanValue()).isFalse();
    assertThat(directives.get(1).at("/match/0").textValue()).isEqualTo("*.*");
    assertThat(directives.get(1).at("/c2/Exclude").booleanValue()).isTrue();
  }

  private static boolean exists(String pattern) throws ClassNotFoundException {
    int dot = pattern.lastIndexOf('.');
    Class<?> type =
        Class.forName(
            pattern.substring(0, dot).replace('/', '.'),
            false,
            PipesDirectiveTest.class.getClassLoader());
    String method = pattern.substring(dot + 1);
    return Stream.of(type.getDeclaredMethods(), type.getDeclaredConstructors())
        .flatMap(Arrays::stream)
        .map(Executable::getName)
        .anyMatch(
            name ->
                method.endsWith("*")
                    ? name.startsWith(method.substring(0, method.length() - 1))
                    : name.equals(method));
  }
}
