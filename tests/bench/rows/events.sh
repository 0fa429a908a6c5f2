#!/bin/sh
# A million events of a thousand containers, from the model Engine's socket.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

events=${EVENTS:-1000000}

rounds() { by_length 3 7; }

claims() {
  title 'events: 1,000,000 of 1,000 containers' 'The model Engine writes start, kill, die and stop of containers that
    people restart as fast as the subject takes them. seadog judges each; the client prints it to /dev/null.'
  more 'events per CPU second, program and Engine' whole median seadog docker_events 5 'events/s'
  more 'events per CPU second of the program' rate median seadog docker_events 5 'events/s'
  most 'memory afterwards, against 10,000 events' growth median seadog '' 64 KiB
}

prepare() { :; }

flood() {
  fake POST flood "$(printf '{"events":%d,"containers":1000,"name":"c","action":"kill die stop start"}' "$1")"
}

# Nothing waits in the Engine's sockets any more, and the subject has come to rest.
drained() {
  fake GET streams
  [ "$(jq 'map(.waiting) | add' "$place/told")" -eq 0 ] || return 1
  before=$(cpu_us subject)
  sleep 0.3
  [ $(($(cpu_us subject) - before)) -lt 10000 ]
}

private_kib() {
  awk '/^Private/ { kib += $2 } END { print kib }' "/proc/$pid/smaps_rollup"
}

# The first events make what is made once: rows, windows, prepared statements.
measure() {
  flood 10000
  await drained
  memory=$(private_kib)
  cpu=$(cpu_us subject)
  model_cpu=$(cpu_us aside)
  flood "$events"
  await drained
  model_cpu=$(($(cpu_us aside) - model_cpu))
  cpu=$(($(cpu_us subject) - cpu))
  say rate "$(calc "$events * 1000000 / $cpu")"
  say whole "$(calc "$events * 1000000 / ($cpu + $model_cpu)")"
  say model_ms "$((model_cpu / 1000))"
  say growth "$(($(private_kib) - memory))"
}

measure_seadog() {
  fake_up 1000
  seadog_up "$model" 1000
  measure
}

measure_docker_events() {
  fake_up 1000
  begin "$DOCKER" -H "unix://$model" events --format '{{json .}}' >/dev/null
  sleep 1
  measure
}

row seadog docker_events
