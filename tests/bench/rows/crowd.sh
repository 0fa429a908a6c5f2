#!/bin/sh
# 200 containers, looked at every two seconds.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

seconds=${SECONDS_OF_SAMPLING:-$(by_length 30 120)}
crew=${CREW:-200}

rounds() { by_length 1 5; }

claims() {
  title "what $crew containers use, every two seconds" "seadog as it is installed (sample_interval = 2s); docker stats does
    it each second and cannot do it seldomer. A look's cost is the whole of seadog's CPU over $seconds s by containers and looks;
    docker stats' is the client's and the Engine's."
  most 'CPU for a container and look' look median seadog '' 60 us
  less 'CPU for a container and look' look median seadog docker_stats 100 us
  most 'what seadog makes the Engine do' engine median seadog nobody 60 ms/min
}

prepare() {
  need_crew "$crew"
}

measure() {
  cpu_a_minute 8 "$seconds"
}

measure_nobody() {
  measure
  say_base
}

# say_look MILLISECONDS_A_MINUTE SECONDS_BETWEEN_LOOKS
say_look() {
  say look "$(calc "$1 * 1000 * $2 / 60 / $crew")"
  say engine "$of_engine"
}

measure_seadog() {
  seadog_up "$engine" "$(docker ps -aq | wc -l)" 2s
  measure
  say_look "$program" 2
}

measure_docker_stats() {
  begin_docker_stats
  measure
  say_look "$(calc "$program + $of_engine - $base")" 1
}

row nobody seadog docker_stats
