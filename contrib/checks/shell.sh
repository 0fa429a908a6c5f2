#!/bin/sh
# The linter of shells on everything that says it is a shell script, and on bats files (a dialect of bash that it knows).
set -eu
cd "${1:-.}"

scripts=$(find contrib tests -type f ! -name '*.bats' -exec grep -lE '^#!/bin/(ba)?sh|^#!/usr/bin/env (ba)?sh' {} + | sort)
bats=$(find tests -type f \( -name '*.bats' -o -name '*.bash' \) | sort)
status=0
# shellcheck disable=SC2086 # lists of names without spaces
[ -z "$scripts" ] || shellcheck --external-sources --severity=style $scripts || status=1
# 2030/2031, 2314/2315, 1091: what bats does on purpose (a test is a subshell; `! command` is checked by run)
# shellcheck disable=SC2086
[ -z "$bats" ] || shellcheck --shell=bash --exclude=SC1091,SC2030,SC2031,SC2314,SC2315,SC2317 $bats || status=1
exit $status
