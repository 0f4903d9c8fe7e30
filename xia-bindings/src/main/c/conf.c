#include "internal.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CLICK_PORT 1500
#define LINE_MAX_BYTES 2304

/* Where the prototype keeps what it has read; here it only lets programs that name the symbol link. */
void *_conf;

static pthread_mutex_t conf_lock = PTHREAD_MUTEX_INITIALIZER;
static int click_port; /* 0: not read yet */
static char chosen_file[PATH_MAX];
static char chosen_section[256];

char *XrootDir(char *buf, unsigned len) {
  char path[PATH_MAX];
  const char *dir = getenv("XIADIR");
  if (buf == NULL || len == 0) {
    return buf;
  }
  if (dir == NULL) {
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    const char *name = "/xia-core";
    char *core = path;
    do { /* a whole component, not the beginning of one */
      core = strstr(core + (core == path ? 0 : 1), name);
    } while (core != NULL && core[strlen(name)] != '/' && core[strlen(name)] != 0);
    if (core != NULL) {
      core[strlen(name)] = 0;
      dir = path;
    } else {
      dir = ".";
    }
  }
  snprintf(buf, len, "%s", dir);
  return buf;
}

static void master_path(char *out, size_t capacity, const char *file) {
  char dir[PATH_MAX];
  XrootDir(dir, sizeof dir);
  snprintf(out, capacity, "%.*s/etc/%s", (int)(capacity - 32), dir, file);
}

static int port_of(const char *text) {
  char *end;
  long port = strtol(text, &end, 10);
  return end != text && port > 0 && port < 65536 ? (int)port : 0;
}

static int read_click_port(void) {
  char master[PATH_MAX + 32];
  char value[256];
  char program[PATH_MAX] = "";
  const char *file = *chosen_file != 0 ? chosen_file : getenv("XSOCKCONF");
  const char *section = *chosen_section != 0 ? chosen_section : getenv("XSOCKCONF_SECTION");
  if (file == NULL) {
    file = "xsockconf.ini";
  }
  if (section == NULL) {
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    char *slash = strrchr(program, '/');
    section = slash != NULL ? slash + 1 : program;
  }
  master_path(master, sizeof master, "xsockconf.ini");
  int port = 0;
  if (ini_find(file, section, "host", value, sizeof value)) {
    char host[256];
    snprintf(host, sizeof host, "%s", value);
    port = ini_find(master, host, "click_port", value, sizeof value) ? port_of(value) : 0;
  } else if (ini_find(file, section, "click_port", value, sizeof value)) {
    port = port_of(value);
  } else if (ini_find(master, section, "click_port", value, sizeof value)) {
    port = port_of(value);
  }
  return port != 0 ? port : DEFAULT_CLICK_PORT;
}

int conf_click_port(void) {
  pthread_mutex_lock(&conf_lock);
  if (click_port == 0) {
    click_port = read_click_port();
  }
  int port = click_port;
  pthread_mutex_unlock(&conf_lock);
  return port;
}

int set_conf(const char *filename, const char *sectionname) {
  pthread_mutex_lock(&conf_lock);
  snprintf(chosen_file, sizeof chosen_file, "%s", filename != NULL ? filename : "");
  snprintf(chosen_section, sizeof chosen_section, "%s", sectionname != NULL ? sectionname : "");
  click_port = read_click_port();
  pthread_mutex_unlock(&conf_lock);
  return 0;
}

void print_conf(void) { printf("click_port: %d\n", conf_click_port()); }

bool conf_host(const char *name, char *dag, size_t capacity) {
  char path[PATH_MAX + 32];
  char line[LINE_MAX_BYTES];
  bool found = false;
  master_path(path, sizeof path, "hosts.xia");
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    return false;
  }
  while (fgets(line, sizeof line, file) != NULL) {
    char *text = ini_strip(line);
    size_t length = strcspn(text, " \t");
    if (*text == '#' || text[length] == 0 || strlen(name) != length || strncmp(text, name, length) != 0) {
      continue;
    }
    snprintf(dag, capacity, "%s", ini_strip(text + length)); /* the last entry of a name counts */
    found = true;
  }
  fclose(file);
  return found;
}
