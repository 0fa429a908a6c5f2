#!/bin/sh
# run.sh short|long [ROW…]: all rows in rows/, or those, one behind the other; then build/bench/ has
#   raw.jsonl  what was measured     report.md  the table     report.svg  the picture
# ROUNDS=N and the amounts that the rows name may be given in the environment. Needs root, for a private Engine.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/bench
LENGTH=$1
export LENGTH
shift

# As the rows see it: one place, one real Engine.
# shellcheck source=tests/bench/kit.sh
. "$here/kit.sh"

machine() {
  jq -cn --arg date "$(date -u +%Y-%m-%dT%H:%MZ)" --arg length "$LENGTH" --arg cpus "$(nproc)" \
    --arg cpu "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
    --arg memory "$(awk '/MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)" --arg kernel "$(uname -r)" \
    --arg seadog "$("$build/seadog" version | head -n 1) ($(git -C "$root" describe --always --dirty))" \
    --arg engine "$(dockerd --version)" --arg client "$("$DOCKER" --version)" \
    --arg curl "$(curl --version | head -n 1)" --arg jq "$(jq --version)" --arg bash "$(bash --version | head -n 1)" \
    --arg monit "$(monit --version 2>/dev/null | head -n 1)" '{kind: "machine", $date, $length, $cpus, $cpu, $memory,
      $kernel, versions: [$seadog, $engine, "client: " + $client, $curl, $jq, $bash, $monit] | map(select(. != ""))}'
}

# Jiffies that all CPUs were busy, and that the host kept from us.
busy() {
  awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8, $9 }' /proc/stat
}

ours() {
  if [ -r "$groups/cpuacct.usage" ]; then cat "$groups/cpuacct.usage"; else
    awk '$1 == "usage_usec" { print $2 * 1000 }' "$groups/cpu.stat"; fi
}

noise() {
  echo "$1 $2 $3 $4 $5 $6 $7 $8" | awk -v row="$9" -v cpus="$(nproc)" -v hertz="$(getconf CLK_TCK)" '{
    span = ($8 - $4) * cpus
    printf "{\"kind\":\"noise\",\"row\":\"%s\",\"others\":%.3f,\"stolen\":%.3f,\"seconds\":%d}\n", row,
      (($5 - $1) / hertz - ($7 - $3) / 1e9) / span, ($6 - $2) / hertz / span, $8 - $4 }'
}

[ "$(id -u)" -eq 0 ] || { echo 'the bench needs root: it starts an Engine of its own' >&2; exit 1; }
[ $# -gt 0 ] || set -- "$here"/rows/*.sh
mkdir -p "$out" "$groups"
machine >"$out/raw.jsonl"
failed=''
for row; do
  row=$(basename "$row" .sh)
  before="$(busy) $(ours) $(date +%s)"
  sh "$here/rows/$row.sh" >>"$out/raw.jsonl" || failed="$failed $row"
  # shellcheck disable=SC2046,SC2086 # numbers
  noise $before $(busy) $(ours) $(date +%s) "$row" >>"$out/raw.jsonl"
done
jq -rs -L "$here" -f "$here/report.jq" "$out/raw.jsonl" >"$out/report.md"
jq -rs -L "$here" -f "$here/picture.jq" "$out/raw.jsonl" >"$out/report.svg"
cat "$out/report.md"
[ -z "$failed" ] || { echo "rows that could not be measured:$failed" >&2; exit 1; }
