/* The ini functions that the prototype's library exports: reading and writing values of text files of the form
 *
 *   [section]        ; or no section at all: keys before the first one
 *   key = value      ; sections and keys in any case, values may stand in double quotes
 */
#include "internal.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_BYTES 2304
#define NUMBER_BYTES 64

char *ini_strip(char *text) {
  while (isspace((unsigned char)*text)) {
    text++;
  }
  size_t length = strlen(text);
  while (length > 0 && isspace((unsigned char)text[length - 1])) {
    text[--length] = 0;
  }
  return text;
}

typedef enum { INI_OTHER, INI_SECTION, INI_KEY } ini_kind;

/* Takes a line apart, in place: the name of a section, or key and value. */
static ini_kind split(char *line, char **name, char **value) {
  char *text = ini_strip(line);
  if (*text == '[') {
    char *end = strchr(text, ']');
    if (end == NULL) {
      return INI_OTHER;
    }
    *end = 0;
    *name = ini_strip(text + 1);
    return INI_SECTION;
  }
  char *equals = *text == ';' || *text == '#' ? NULL : strchr(text, '=');
  if (equals == NULL) {
    return INI_OTHER;
  }
  *equals = 0;
  *name = ini_strip(text);
  *value = ini_strip(equals + 1);
  if (**value == '"') {
    char *end = strchr(*value + 1, '"');
    if (end != NULL) {
      *end = 0;
      (*value)++;
    }
  }
  return INI_KEY;
}

static bool is_section(const char *name, const char *wanted) {
  return wanted != NULL && *wanted != 0 && strcasecmp(name, wanted) == 0;
}

/* Finds a key by its name, or with NULL the one with this index. */
static bool find(
    const char *path, const char *section, const char *key, int index, bool give_key, char *out, size_t capacity) {
  FILE *file = path != NULL && capacity > 0 ? fopen(path, "re") : NULL;
  char line[LINE_BYTES];
  char *name = NULL;
  char *value = NULL;
  bool inside = section == NULL || *section == 0;
  bool found = false;
  while (!found && file != NULL && fgets(line, sizeof line, file) != NULL) {
    ini_kind kind = split(line, &name, &value);
    if (kind == INI_SECTION) {
      inside = is_section(name, section);
    } else if (kind == INI_KEY && inside && (key != NULL ? strcasecmp(name, key) == 0 : index-- == 0)) {
      snprintf(out, capacity, "%s", give_key ? name : value);
      found = true;
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return found;
}

bool ini_find(const char *path, const char *section, const char *key, char *out, size_t capacity) {
  return find(path, section, key, 0, false, out, capacity);
}

int ini_gets(const char *section, const char *key, const char *otherwise, char *buffer, int size, const char *file) {
  if (buffer == NULL || size <= 0 || key == NULL) {
    return 0;
  }
  if (!ini_find(file, section, key, buffer, (size_t)size)) {
    snprintf(buffer, (size_t)size, "%s", otherwise != NULL ? otherwise : "");
  }
  return (int)strlen(buffer);
}

long ini_getl(const char *section, const char *key, long otherwise, const char *file) {
  char text[NUMBER_BYTES];
  if (ini_gets(section, key, "", text, sizeof text, file) == 0) {
    return otherwise;
  }
  bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  return strtol(text, NULL, hexadecimal ? 16 : 10);
}

float ini_getf(const char *section, const char *key, float otherwise, const char *file) {
  char text[NUMBER_BYTES];
  return ini_gets(section, key, "", text, sizeof text, file) == 0 ? otherwise : strtof(text, NULL);
}

int ini_getbool(const char *section, const char *key, int otherwise, const char *file) {
  char text[NUMBER_BYTES];
  ini_gets(section, key, "", text, sizeof text, file);
  switch (toupper((unsigned char)text[0])) {
    case 'Y':
    case '1':
    case 'T':
      return 1;
    case 'N':
    case '0':
    case 'F':
      return 0;
    default:
      return otherwise;
  }
}

int ini_getkey(const char *section, int index, char *buffer, int size, const char *file) {
  if (buffer == NULL || size <= 0 || index < 0) {
    return 0;
  }
  *buffer = 0;
  find(file, section, NULL, index, true, buffer, (size_t)size);
  return (int)strlen(buffer);
}

int ini_getsection(int index, char *buffer, int size, const char *path) {
  FILE *file = buffer != NULL && size > 0 && index >= 0 && path != NULL ? fopen(path, "re") : NULL;
  char line[LINE_BYTES];
  char *name = NULL;
  char *value = NULL;
  if (buffer == NULL || size <= 0) {
    return 0;
  }
  *buffer = 0;
  while (file != NULL && *buffer == 0 && fgets(line, sizeof line, file) != NULL) {
    if (split(line, &name, &value) == INI_SECTION && index-- == 0) {
      snprintf(buffer, (size_t)size, "%s", name);
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return (int)strlen(buffer);
}

/* Copies a file and puts a value in; a key NULL takes the whole section out, a value NULL the key. */
static bool rewrite(FILE *from, FILE *to, const char *section, const char *key, const char *value) {
  char line[LINE_BYTES];
  char copy[LINE_BYTES];
  char *name = NULL;
  char *old = NULL;
  bool inside = section == NULL || *section == 0;
  bool seen = inside;
  bool done = key == NULL || value == NULL;
  while (from != NULL && fgets(line, sizeof line, from) != NULL) {
    memcpy(copy, line, sizeof copy);
    ini_kind kind = split(copy, &name, &old);
    if (kind == INI_SECTION) {
      if (inside && !done) { /* the end of its section */
        fprintf(to, "%s=%s\n", key, value);
        done = true;
      }
      inside = is_section(name, section);
      seen = seen || inside;
      if (inside && key == NULL) {
        continue;
      }
    } else if (inside && key == NULL) {
      continue;
    } else if (inside && kind == INI_KEY && strcasecmp(name, key) == 0) {
      if (!done) {
        fprintf(to, "%s=%s\n", key, value);
        done = true;
      }
      continue;
    }
    fputs(line, to);
    if (strchr(line, '\n') == NULL && strlen(line) + 1 < sizeof line) {
      fputc('\n', to);
    }
  }
  if (!done) {
    if (!seen) {
      fprintf(to, "[%s]\n", section);
    }
    fprintf(to, "%s=%s\n", key, value);
  }
  return ferror(to) == 0;
}

int ini_puts(const char *section, const char *key, const char *value, const char *path) {
  char part[PATH_MAX];
  if (path == NULL || snprintf(part, sizeof part, "%s~", path) >= (int)sizeof part) {
    return 0;
  }
  FILE *to = fopen(part, "we");
  if (to == NULL) {
    return 0;
  }
  FILE *from = fopen(path, "re");
  bool written = rewrite(from, to, section, key, value);
  if (from != NULL) {
    fclose(from);
  }
  written = fclose(to) == 0 && written;
  if (!written || rename(part, path) != 0) {
    unlink(part);
    return 0;
  }
  return 1;
}

int ini_putl(const char *section, const char *key, long value, const char *path) {
  char text[NUMBER_BYTES];
  snprintf(text, sizeof text, "%ld", value);
  return ini_puts(section, key, text, path);
}

int ini_putf(const char *section, const char *key, float value, const char *path) {
  char text[NUMBER_BYTES];
  snprintf(text, sizeof text, "%f", (double)value);
  return ini_puts(section, key, text, path);
}
