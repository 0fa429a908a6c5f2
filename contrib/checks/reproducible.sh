#!/bin/sh
# The same sources give the same program, byte by byte, whatever folder they lie in.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
for folder in a a/longer/path/to/the/same; do
  mkdir -p "$work/$folder"
  git archive HEAD | tar -x -C "$work/$folder"
  make -s -C "$work/$folder" build/seadog
  sha256sum <"$work/$folder/build/seadog" >>"$work/sums"
done
[ "$(sort -u "$work/sums" | wc -l)" -eq 1 ] || { echo "two folders, two programs:" && cat "$work/sums" && exit 1; }
