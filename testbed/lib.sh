# Shared by the scripts beside it: finds a JDK, installs what is missing, builds. Sourced, never run.
# shellcheck shell=bash

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(dirname "$here")
dist=$here/target/dist

say() { printf '%s\n' "$*" >&2; }
die() { say "xmig: $*"; exit 1; }

# A JDK 17 or newer: JAVA_HOME, else the javac on the path, else what Debian installed.
find_java() {
  local home
  for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac 2>/dev/null || true)" 2>/dev/null || true)")" 2>/dev/null)" /usr/lib/jvm/java-17-openjdk-amd64 /usr/lib/jvm/default-java; do
    if [ -n "$home" ] && [ -x "$home/bin/java" ] && [ -x "$home/bin/javac" ]; then
      java_home=$home
      return 0
    fi
  done
  return 1
}

# need_packages PACKAGE:PROGRAM… — installs the Debian packages whose program is missing, or says how.
need_packages() {
  local missing=() entry
  for entry in "$@"; do
    case ${entry#*:} in
      /*) [ -e "${entry#*:}" ] || missing+=("${entry%%:*}") ;;
      *) PATH=$PATH:/usr/sbin:/sbin command -v "${entry#*:}" >/dev/null 2>&1 || missing+=("${entry%%:*}") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null 2>&1 || die "missing: ${missing[*]}; install them with this system's package manager"
  if [ "$(id -u)" != 0 ]; then
    die "missing packages; run: sudo apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "installing ${missing[*]} …"
  local log
  log=$(mktemp)
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "could not install ${missing[*]}; the whole log is $log"
  fi
  rm -f "$log"
}

build_packages=(openjdk-17-jdk-headless:javac maven:mvn gcc:gcc libc6-dev:/usr/include/stdio.h)
run_packages=(qemu-system-x86:qemu-system-x86_64 qemu-utils:qemu-img busybox-static:busybox cpio:cpio kmod:depmod e2fsprogs:mkfs.ext4 iproute2:ip)
evaluation_packages=(socat:socat zstd:zstd dbench:dbench fping:fping)
test_packages=(socat:socat fping:fping)

# Builds the distribution when a source file is newer than the last build. One build at a time.
build_if_stale() {
  [ -z "${XMIG_NO_BUILD:-}" ] || return 0
  is_stale || return 0
  need_packages "${build_packages[@]}"
  find_java || die "no JDK 17 or newer found; set JAVA_HOME, or: apt-get install openjdk-17-jdk-headless"
  mkdir -p "$here/target"
  exec 8>"$here/target/.build.lock"
  flock 8
  if is_stale; then
    say "building xmig …"
    local log=$here/target/build.log
    if ! (cd "$root" && JAVA_HOME=$java_home mvn -B -q -Dfast -DskipTests package) >"$log" 2>&1; then
      tail -n 40 "$log" >&2
      die "the build failed; the whole log is $log"
    fi
    make_archive
    touch "$dist/.built"
  fi
  exec 8>&-
}

is_stale() {
  [ ! -e "$dist/.built" ] || [ -n "$(find "$root"/*/src/main "$root"/pom.xml "$root"/*/pom.xml -newer "$dist/.built" -print -quit)" ]
}

class_path() {
  local jar path=
  for jar in "$dist"/lib/*.jar; do
    path=$path${path:+:}$jar
  done
  printf '%s' "$path"
}

# Class-data sharing: what every start would load and verify again is mapped from one file instead.
make_archive() {
  rm -f "$dist/xmig.jsa"
  "$java_home/bin/java" -XX:ArchiveClassesAtExit="$dist/xmig.jsa" -XX:+UseSerialGC -Xlog:cds=off -Xlog:cds+dynamic=off \
    -cp "$(class_path)" io.xmig.testbed.cli.Main --load-classes >/dev/null 2>&1 || rm -f "$dist/xmig.jsa"
}
