#!/bin/sh
# A flood at the real Engine's full rate: what a subscriber costs those who call the Engine meanwhile.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

seconds=${SECONDS_OF_FLOOD:-$(by_length 8 60)}

rounds() { by_length 4 5; }

claims() {
  title 'a flood at the real Engine'\''s full rate' "One connection calls the Engine for $seconds s as fast as it answers,
    while seadog listens or nobody does: renames of a container, the quickest of all calls that make an event of one.
    seadog hears each and looks at the container; what it understood is counted behind its own socket."
  less 'a call to the Engine, mean' call median seadog nobody 0.6667 ms
  less 'a call to the Engine, 99th percentile' call_p99 median seadog nobody 0.6667 ms
  most 'events lost' lost sum seadog '' 0 events
  most 'the loop late, at most' late most seadog '' 20 ms
}

prepare() {
  need_engine
  docker rm -f flooded other >/dev/null 2>&1 || true
  docker run -d --network none --name flooded bb:1 sleep 1000000 >/dev/null
  for _ in $(seq 50); do
    printf 'url = "http://localhost/containers/flooded/rename?name=other"\n'
    printf 'url = "http://localhost/containers/other/rename?name=flooded"\n'
  done >"$place/renames"
}

# Calls by the hundred, and the seconds that each took.
flood() {
  ends=$(($(date +%s) + seconds))
  : >"$place/calls"
  while [ "$(date +%s)" -lt "$ends" ]; do
    curl -sSf -X POST --unix-socket "$engine" -K "$place/renames" -w '%{time_total}\n' >>"$place/calls"
  done
  sort -n "$place/calls" | awk '{ all += $1; ms[NR] = $1 * 1000 }
    END { print all * 1000 / NR, ms[int(NR * 0.99 + 0.5)] }' >"$place/told"
  read -r mean slow <"$place/told"
  say call "$mean"
  say call_p99 "$slow"
}

settled() {
  before=$(wc -c <"$place/seen")
  sleep 0.5
  [ "$(wc -c <"$place/seen")" -eq "$before" ]
}

measure_nobody() {
  flood
}

measure_seadog() {
  seadog_up "$engine" "$(docker ps -aq | wc -l)"
  sea events --follow --json >"$place/seen" 2>/dev/null &
  started="$! $started"
  sleep 0.5
  sea healthcheck --json >/dev/null # says how late the loop was since the last time
  flood
  say late "$(sea healthcheck --json | jq '.late_seconds * 1000')"
  await settled
  say lost $(($(wc -l <"$place/calls") - $(grep -c '"rename"' "$place/seen")))
}

row nobody seadog
