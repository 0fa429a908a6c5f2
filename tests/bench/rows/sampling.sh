#!/bin/sh
# What it costs to know, each second, what 50 containers use.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

seconds=${SECONDS_OF_SAMPLING:-$(by_length 30 120)}

rounds() { by_length 3 7; }

claims() {
  title 'what 50 containers use, each second: CPU per minute' "The whole of seadog (events, triggers, sample_interval = 1s),
    and docker stats with what it makes the Engine do (dockerd, containerd, shims) above what that takes with nobody there,
    over $seconds s."
  less 'all that it takes' all median seadog docker_stats 300 ms/min
  most 'what seadog makes the Engine do' engine median seadog nobody 30 ms/min
}

prepare() {
  need_crew 50
}

measure() {
  cpu_a_minute 8 "$seconds"
}

measure_nobody() {
  measure
  say_base
}

# seadog asks the Engine for nothing but a ping a minute, which is less than the Engine's own unrest: that has its own claim.
measure_seadog() {
  seadog_up "$engine" "$(docker ps -aq | wc -l)"
  measure
  say all "$program"
  say engine "$of_engine"
}

measure_docker_stats() {
  begin_docker_stats
  measure
  say all "$(calc "$program + $of_engine - $base")"
  say engine "$of_engine"
}

row nobody seadog docker_stats
