#!/usr/bin/env bats
# What containers use, where they are not on this machine: nothing is made up, and check says so.
# shellcheck disable=SC2154 # root, place, watchdog: helper.bash
load helper

@test "containers of an Engine elsewhere: no figures, and check says why" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  start_watchdog
  run -0 sea status --json
  [ "$(jq -c '.services[0] | [.memory, .cpu_ratio, .pids]' <<<"$output")" = '[null,null,null]' ]
  run -0 sea status
  [[ $output != *MEMORY* ]]
  run sea check
  [[ $output == *"! cgroups "*"0 of 1 containers tried can be read"* ]]
  [[ $output == *"asked about the others, the Engine tells of 0: "* ]]
  [[ $output == *"switches off: triggers memory, cpu, pids"* ]]
}
