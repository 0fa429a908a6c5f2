#!/bin/sh
# A check that cannot fail proves nothing: plants one violation after another in a copy of the tree and wants each check
# to name it. Run by `make lint-proof`.
# shellcheck disable=SC2016 # what is planted is not to be expanded here
set -eu
here=$(pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# fresh: a clean copy of the tree to plant in
fresh() {
  rm -rf "$scratch/tree"
  mkdir "$scratch/tree"
  cp -R "$here/Makefile" "$here/VERSION" "$here/.clang-format" "$here/.clang-tidy" "$here/include" "$here/watchdog" \
    "$here/contrib" "$here/tests" "$scratch/tree"
  cd "$scratch/tree"
}

# caught WHAT PATTERN COMMAND...: the command must fail, and its output must match
caught() {
  what=$1 pattern=$2
  shift 2
  if "$@" >"$scratch/said" 2>&1; then
    echo "NOT CAUGHT  $what"
    failures=$((failures + 1))
  elif ! grep -qE -e "$pattern" "$scratch/said"; then
    echo "CAUGHT, BUT NOT NAMED  $what:"
    head -5 "$scratch/said"
    failures=$((failures + 1))
  else
    echo "caught      $what"
  fi
}

# plant FILE TEXT: appends to a file
plant() {
  printf '%s\n' "$2" >>"$1"
}

layers() { # layers WHAT FILE INCLUDE PATTERN
  fresh
  plant "$2" "#include $3"
  caught "$1" "$4" contrib/checks/layers.sh
}

layers "core includes its sibling" watchdog/core/window.c '<watchdog/engine.h>' 'window.c:.*core includes <watchdog/engine.h>'
layers "base includes words" watchdog/base/map.c '<watchdog/words.h>' 'map.c:.*which is not below'
layers "a promise includes what is above it" include/watchdog/words.h '<watchdog/policy.h>' 'words.h:.*which is not below'
layers "engine knows curl" watchdog/engine/wire.c '<curl/curl.h>' 'known to watchdog/base/http.c alone'
layers "a promise knows cJSON" include/watchdog/json.h '<cjson/cJSON.h>' 'json.h:.*known to watchdog/base/json.c alone'
layers "a header out of another room" watchdog/core/window.c '"../engine/wire_scan.h"' 'quotes are for headers of the same'
layers "a header of no layer" watchdog/core/window.c '<watchdog/surprise.h>' 'belongs to no layer'
fresh
mkdir watchdog/util && plant watchdog/util/util.c 'int x;'
caught "a layer that nobody knows" 'directory util belongs to no layer' contrib/checks/layers.sh
fresh
sed -i '/sqlite3.h/d' watchdog/store/database.c
caught "a library that nobody includes any more" 'database.c: does not include' contrib/checks/layers.sh
fresh
i=0
while [ $i -lt 121 ]; do plant include/watchdog/map.h '/**/' && i=$((i + 1)); done
caught "an endless promise" 'map.h:.*at most 120 lines' contrib/checks/layers.sh

impure() { # impure WHAT CODE NAME
  fresh
  plant impure.c "$2"
  ${CC:-cc} -O2 -Iinclude -D_GNU_SOURCE -c -o impure.o impure.c
  caught "$1" "^$3: wanted by impure.o" contrib/checks/purity.sh impure.o
}

impure "the core asks for the time" '#include <time.h>
long now(void) { return time(0); }' time
impure "the core asks our clock" '#include <watchdog/time.h>
wd_time now(void) { return wd_time_now(); }' wd_time_now
impure "the core logs" '#include <watchdog/log.h>
void say(void) { wd_log(WD_LOG_INFO, 0, 0, "x"); }' wd_log
impure "the core opens a file" '#include <fcntl.h>
int get(void) { return open("/dev/null", 0); }' open

banned() { # banned FUNCTION CODE
  fresh
  plant watchdog/base/map.c "$2"
  caught "banned: $1" "map.c:[0-9]+:.*$1.*<- banned" contrib/checks/banned.sh
}

banned strcpy 'void f(char *to) { strcpy(to, "x"); }'
banned sprintf 'void f(char *to) { sprintf (to, "x"); }'
banned system 'int f(void) { return system("ls"); }'
banned atoi 'int f(const char *x) { return 1+atoi(x); }'
banned localtime 'void f(time_t *t) { (void)localtime(t); }'
banned strtok 'void f(char *t) { /* strtok( */ strtok(t, ","); }'
fresh
plant watchdog/base/map.c '/* strcpy(a, b), and "system(" */ const char *s = "strcpy(a, \"b\")";'
if contrib/checks/banned.sh | grep 'map.c:'; then
  echo "NOT LET THROUGH  what stands in comments and strings"
  failures=$((failures + 1))
fi

fresh
{ echo 'void endless(void)' && echo '{' && i=0
  while [ $i -lt 99 ]; do echo '	f();' && i=$((i + 1)); done
  echo '}'; } >>watchdog/base/map.c
caught "a function of 101 lines" 'endless: longer than 100' contrib/checks/lengths.sh
sed -i '/endless/,$ { 0,/	f();/ { /	f();/d } }' watchdog/base/map.c
if contrib/checks/lengths.sh | grep 'endless: longer'; then
  echo "NOT LET THROUGH  a function of 100 lines"
  failures=$((failures + 1))
fi

fresh
plant watchdog/base/map.c 'int  f( void ){return 1;}'
caught "a file that nobody laid out" 'map.c:.*clang-formatted' make lint-format

fresh
plant contrib/checks/planted.sh '#!/bin/sh
rm $1/*'
caught "a script that does not quote" 'SC2086' contrib/checks/shell.sh
fresh
plant tests/planted.bats '@test "x" { rm $x; }'
caught "a bats file that does not quote" 'SC2086' contrib/checks/shell.sh

fresh
plant watchdog/base/map.c 'int f(void) { int a[2] = {0}; return a[2]; }'
caught "cppcheck: beyond the end" 'map.c.*arrayIndexOutOfBounds|out of bounds' make lint-cppcheck

tidy() { # tidy WHAT CODE PATTERN
  fresh
  plant planted.c "$2"
  caught "clang-tidy: $1" "$3" contrib/checks/tidy.sh -Iinclude -D_GNU_SOURCE -- planted.c
}

tidy "use after free" '#include <stdlib.h>
int f(void);
int f(void) { int *p = malloc(4); free(p); return *p; }' 'unix.Malloc'
tidy "a comparison that says the opposite" '#include <string.h>
int f(const char *s);
int f(const char *s) { return strcmp(s, "web") ? 1 : memcmp(s, "w", 1) == 2; }' 'bugprone-suspicious-string-compare'
tidy "a file that does not compile" 'int f(' 'error'

[ $failures -eq 0 ] || { echo "$failures checks prove nothing"; exit 1; }
