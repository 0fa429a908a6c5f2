#!/bin/sh
# clang-tidy on one file, silent where it finds nothing. usage: tidy.sh FLAG... -- FILE
set -eu
flags=
while [ "$1" != -- ]; do
  flags="$flags '$(printf %s "$1" | sed "s/'/'\\\\''/g")'"
  shift
done
file=$2
eval "set -- $flags"
if ! said=$(clang-tidy --quiet "$file" -- -std=gnu17 "$@" 2>/dev/null); then
  printf '%s\n' "$said"
  exit 1
fi
