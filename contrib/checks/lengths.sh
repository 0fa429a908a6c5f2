#!/bin/sh
# Functions are short: median under 16 lines, nine in ten under 50, none over 100 (CONTRIBUTING.md). Counted from the
# opening brace to the closing one, both in the first column, as `make format` puts them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}"

for file in $(find watchdog -name '*.c' | sort); do
  awk -f "$here/strip.awk" "$file" | awk -v file="$file" '
    /^[A-Za-z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
    /^\{/ { start = NR }
    /^\}/ && start { print NR - start + 1, file ":" start ": " name; start = 0 }'
done | sort -n | awk '
  { length_of[NR] = $1; line[NR] = $0 }
  END {
    if (NR == 0) { print "no functions found"; exit 1 }
    median = length_of[int((NR + 1) / 2)]
    nine_in_ten = length_of[int((NR * 9 + 9) / 10)]
    printf "%d functions: median %d lines, nine in ten at most %d, the longest %s\n", NR, median, nine_in_ten, line[NR]
    for (i = 1; i <= NR; i++)
      if (length_of[i] > 100) { print line[i] ": longer than 100 lines"; bad = 1 }
    if (median >= 16) { print "the median is to be under 16"; bad = 1 }
    if (nine_in_ten >= 50) { print "nine in ten are to be under 50"; bad = 1 }
    exit bad
  }'
