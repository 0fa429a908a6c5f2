#!/bin/sh
# From the start to the first complete picture of all containers.
# shellcheck source=tests/bench/kit.sh
. "$(dirname "$0")/../kit.sh"

rounds() { by_length 5 15; }

claims() {
  title 'start -> first complete picture' 'seadog until it says that it guards all of them, each inspected and
    remembered on disk; docker ps and docker inspect of all until they end. 50 containers of a real Engine, then 1,000 of
    the model.'
  less '50 real containers' of_50 median seadog docker_inspect 1 ms
  most '50 real containers' of_50 median seadog '' 500 ms
  less '1,000 of the model' of_1000 median seadog docker_inspect 1 ms
  most '1,000 of the model' of_1000 median seadog '' 500 ms
}

prepare() {
  need_crew 50
}

all=$place/all.sh
cat >"$all" <<'END'
"$1" -H "unix://$2" ps -q | xargs "$1" -H "unix://$2" inspect
END

time_seadog() {
  write_config "$1"
  "$build/tests/bench/stopwatch" -u "guarding $2 services" "$build/seadog" --config "$place/seadog.conf" run
}

time_inspect() {
  "$build/tests/bench/stopwatch" sh "$all" "$DOCKER" "$1"
}

measure_seadog() {
  ms=$(time_seadog "$engine" "$(docker ps -aq | wc -l)")
  say of_50 "$ms"
  fake_up 1000
  ms=$(time_seadog "$model" 1000)
  say of_1000 "$ms"
}

measure_docker_inspect() {
  ms=$(time_inspect "$engine")
  say of_50 "$ms"
  fake_up 1000
  ms=$(time_inspect "$model")
  say of_1000 "$ms"
}

row seadog docker_inspect
