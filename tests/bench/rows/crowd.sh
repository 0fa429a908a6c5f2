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

# Milliseconds of CPU a minute, of the program and of the Engine; what is begun has had its start behind it.
measure() {
  sleep 8
  program=$(cpu_us subject)
  of_engine=$(cpu_us engine)
  sleep "$seconds"
  program=$(calc "($(cpu_us subject) - $program) * 60 / $seconds / 1000")
  of_engine=$(calc "($(cpu_us engine) - $of_engine) * 60 / $seconds / 1000")
}

measure_nobody() {
  measure
  base=$of_engine
  say engine "$base"
}

# say_look MILLISECONDS_A_MINUTE SECONDS_BETWEEN_LOOKS
say_look() {
  say look "$(calc "$1 * 1000 * $2 / 60 / $crew")"
  say engine "$of_engine"
}

measure_seadog() {
  seadog_up "$engine" "$(docker ps -aq | wc -l)"
  end_all
  sed -i 's/^sample_interval = .*/sample_interval = 2s/' "$place/seadog.conf"
  begin "$build/seadog" --config "$place/seadog.conf" run 2>"$place/seadog.log"
  await guards "$(docker ps -aq | wc -l)"
  measure
  say_look "$program" 2
}

measure_docker_stats() {
  begin "$DOCKER" -H "unix://$engine" stats --no-trunc --format '{{.ID}} {{.CPUPerc}} {{.MemUsage}}' >/dev/null
  measure
  say_look "$(calc "$program + $of_engine - $base")" 1
}

row nobody seadog docker_stats
