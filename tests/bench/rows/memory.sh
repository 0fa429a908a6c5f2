#!/bin/sh
# Memory at rest: 50 containers of a real Engine, 1,000 of the model.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

rounds() { by_length 3 7; }

claims() {
  title 'memory at rest' 'Private memory and PSS (/proc/PID/smaps_rollup) some seconds after the start and a
    status of all. The 1,000 of the model have no cgroups: nothing is sampled of them. bare is a program that initialises the same libraries, uses each once, and waits.'
  most '50 containers, private, above bare' private_50 median seadog bare 2248 KiB
  most '1,000 containers, private, above bare' private_1000 median seadog bare 6048 KiB
  less '50 containers, PSS' pss_50 median seadog docker_events 1 KiB
  less '50 containers, PSS' pss_50 median seadog docker_stats 1 KiB
}

prepare() {
  need_crew 50
}

# read_memory CONTAINERS, of $pid
read_memory() {
  sleep "$(by_length 3 30)"
  say "private_$1" "$(awk '/^Private/ { kib += $2 } END { print kib }' "/proc/$pid/smaps_rollup")"
  say "pss_$1" "$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")"
}

measure_seadog() {
  seadog_up "$engine" "$(docker ps -aq | wc -l)"
  read_memory 50
  end_all
  fake_up 1000
  seadog_up "$model" 1000
  read_memory 1000
}

measure_bare() {
  begin "$build/tests/bench/idle" "$place/idle.db" "$engine"
  read_memory 50
  say private_1000 "$(awk '/^Private/ { kib += $2 } END { print kib }' "/proc/$pid/smaps_rollup")"
}

measure_docker_events() {
  begin "$DOCKER" -H "unix://$engine" events >/dev/null
  read_memory 50
}

measure_docker_stats() {
  begin "$DOCKER" -H "unix://$engine" stats >/dev/null
  read_memory 50
}

row seadog bare docker_events docker_stats
