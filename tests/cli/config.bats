#!/usr/bin/env bats
# The configuration as commands see it.
# shellcheck disable=SC2154 # root, place, watchdog: helper.bash
load helper

@test "faults are exit code 2, all of them, with their lines" {
  printf '[seadog]\nmode = atc\n[engin]\nhost = x\n[defaults]\nrestarts = 5\n' >faulty.conf
  for command in run status config healthcheck; do
    run -2 --separate-stderr seadog --config faulty.conf "$command"
    [[ $stderr == *faulty.conf:2:* ]]
    [[ $stderr == *faulty.conf:3:* ]]
    [[ $stderr == *faulty.conf:6:* ]]
    [[ $stderr == *"the configuration has 3 faults"* ]]
  done
  run -2 --separate-stderr seadog --config faulty.conf status --json
  [ "$(jq -r .exit <<<"$stderr")" = 2 ]
  [[ $(jq -r .error <<<"$stderr") == *faulty.conf:2:*faulty.conf:6:* ]]
  run -2 seadog --config faulty.conf check
  [[ $output == *faulty.conf:2:* ]]
  [[ $output == *faulty.conf:6:* ]]
}

@test "a file that is not there is a fault" {
  run -2 --separate-stderr seadog --config nowhere.conf status
  [[ $stderr == *nowhere.conf* ]]
}

@test "a watchdog that runs is asked in spite of faults that it has not taken" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  start_watchdog
  cp seadog.conf faulty.conf
  printf '[defaults]\nrestarts = 5\nverfy = 1m\n' >>faulty.conf
  run -0 --separate-stderr seadog --config faulty.conf status
  [[ $output == *web* ]]
  [[ $stderr == *"2 faults"*"seadog check"* ]]
  for command in 'explain web' incidents healthcheck 'mute web --for 1m' 'unmute web' 'hold web' 'release web'; do
    # shellcheck disable=SC2086 # words
    run -0 --separate-stderr seadog --config faulty.conf -q $command
    [ -z "$stderr" ]
  done
  run -4 --separate-stderr seadog --config faulty.conf explain nobody --json
  [ "$(jq -c .exit <<<"$stderr")" = 4 ]
  run -2 seadog --config faulty.conf config
  run -2 seadog --config faulty.conf check
  # Where it listens may be what the fault hides.
  sed 's/^control/contrl/' faulty.conf >hidden.conf
  run -2 seadog --config hidden.conf status
  sed 's/^.seadog.$/[seadgo]/' faulty.conf >hidden.conf
  run -2 seadog --config hidden.conf status
  stop_watchdog
  run -2 --separate-stderr seadog --config faulty.conf status
  [[ $stderr == *faulty.conf:9:*faulty.conf:10:* ]]
}

@test "config says where each value is from" {
  run -0 sea config --json
  [ "$(jq -r '.values[] | select(.section == "seadog" and .key == "state_dir") | .value' <<<"$output")" = "$place/state" ]
  [[ $(jq -r '.values[] | select(.key == "state_dir") | .origin' <<<"$output") == *seadog.conf:4 ]]
  [ "$(jq -r '.values[] | select(.key == "restarts") | .origin' <<<"$output")" = "built in" ]
  [ "$(jq -r .schema <<<"$output")" = 1 ]
  SEADOG_SEADOG_MODE=observe run -0 sea config
  [[ $output == *"[seadog]"* ]]
  [[ $output =~ mode\ *=\ *observe\ *SEADOG_SEADOG_MODE ]]
}

@test "--host wins over the file" {
  run -0 sea config --json --host unix:///elsewhere.sock
  [ "$(jq -r '.values[] | select(.section == "engine" and .key == "host") | .value' <<<"$output")" = unix:///elsewhere.sock ]
}

@test "conf/seadog.conf is what config --example prints" {
  run -0 --separate-stderr seadog config --example
  diff <(printf '%s\n' "$output") "$root/conf/seadog.conf"
}

@test "the example is sound as it is, and with every key taken at its default" {
  seadog config --example >example.conf
  run -0 --separate-stderr seadog --config example.conf config
  sed 's/^; \([a-z_]* = .\)/\1/; s/^; \(\[.*\]\)$/\1/' example.conf >taken.conf
  grep -q '^restarts = 5/60s' taken.conf
  grep -q '^\[policy web\]' taken.conf
  run -0 --separate-stderr seadog --config taken.conf config
  [ -z "$stderr" ]
}

@test "config NAME is what holds for a container, labels included" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always","labels":{"seadog.restarts":"3/30s","seadog.restart":"1/1s"}}'
  run -0 --separate-stderr sea config web --json
  [ "$(jq -r '.values[] | select(.key == "restarts") | .value' <<<"$output")" = 3/30s ]
  [[ $(jq -r '.values[] | select(.key == "restarts") | .origin' <<<"$output") == *seadog.restarts* ]]
  [[ $stderr == *"did you mean seadog.restarts"* ]]
  run -4 sea config nobody
  run -6 seadog --config seadog.conf --host "unix://$place/nowhere.sock" config web
}
