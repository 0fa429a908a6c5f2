#!/bin/sh
# What `make cover` tells after the tests have run. usage: cover.sh BUILD_DIRECTORY
set -eu
build=$1
if command -v lcov >/dev/null; then
  lcov --quiet --capture --directory "$build/watchdog" --base-directory . --no-external --output-file "$build/all.info"
  lcov --quiet --remove "$build/all.info" '*/tests/*' --output-file "$build/cover.info"
  lcov --list "$build/cover.info"
  if genhtml --quiet --output-directory "$build/html" "$build/cover.info"; then
    echo "$build/html/index.html"
  fi
else
  find "$build/watchdog" -name '*.gcda' | sort | while read -r data; do
    gcov --no-output "$data" 2>/dev/null | sed -n '1,2p' | paste -sd ' '
  done
fi
