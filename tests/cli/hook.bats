#!/usr/bin/env bats
# The rung hook:NAME, with real commands.
# shellcheck disable=SC2154 # root, place, watchdog: helper.bash
load helper

LOOP='{"name":"loop","image":"acme/loop:1","policy":"always","script":{"lives":"20ms","exit_code":3}}'

# hook NAME LINE…: a command, and the section that names it.
hook() {
  printf '%s\n' '#!/bin/sh' "${@:2}" >"$1"
  chmod 755 "$1"
}

step() { sea incidents --json | jq -r ".incidents[0].steps[$1] | .action + \" \" + .result + \" \" + .detail"; }
step_is() { [[ $(step "$1") =~ $2 ]]; }

@test "a hook is told of the incident, and the stop does not wait for it" {
  hook page 'cat >input' 'env | sort >environment' 'until [ -e go ]; do sleep 0.1; done' 'echo paged'
  sed -i "2i cd $place" page
  write_config '[hook page-me]' "command = $place/page --team 'in fra'" '[defaults]' 'restarts = 3/60s' \
    'on_restarts = hook:page-me, stop'
  start_engine
  start_watchdog
  fake POST container "$LOOP"
  await is_verdict loop held
  await test -s environment
  [ "$(jq -r '.id, .name, .trigger' input | xargs)" = "1 loop restarts" ]
  grep -qx SEADOG_HOOK_INCIDENT=1 environment
  grep -qx SEADOG_HOOK_SERVICE=loop environment
  run ! grep -v -E '^(PATH|PWD|OLDPWD|SHLVL|_|SEADOG_HOOK_[A-Z]+)=' environment
  step_is 0 '^hook done page-me: under way when the incident was closed$'
  step_is 1 '^stop done '
  touch go
  await step_is 0 '^hook done page-me: exit code 0 after .*: paged$'
  run -0 sea show 1
  [[ $output == *"page-me: exit code 0"* ]]
}

@test "a hook that fails, and one that is not there, hold nothing up" {
  hook page 'echo no modem >&2' 'exit 9'
  write_config '[hook page]' "command = $place/page" '[hook gone]' "command = $place/gone" '[defaults]' \
    'restarts = 3/60s' 'on_restarts = hook:page, hook:gone, stop'
  start_engine
  start_watchdog
  fake POST container "$LOOP"
  await is_verdict loop held
  await step_is 0 '^hook failed page: exit code 9 after .*: no modem$'
  await step_is 1 '^hook failed gone: .*/gone cannot be run: No such file or directory$'
  step_is 2 '^stop done '
  grep -q 'hook: failed, page: exit code 9' run.err
}

@test "a hook that hangs is killed at its limit, with what it started" {
  hook hang "sleep 1000 & echo \$! >$place/child" 'wait'
  write_config '[hook hang]' "command = $place/hang" 'timeout = 1s' '[defaults]' 'restarts = 3/60s' \
    'on_restarts = hook:hang, stop'
  start_engine
  start_watchdog
  fake POST container "$LOOP"
  await step_is 0 'killed, as it had not ended in 1s'
  gone() { ! kill -0 "$(cat child)" 2>/dev/null; }
  await gone
}

@test "observing, nothing is run" {
  hook page "touch $place/was-run"
  write_config '[hook page]' "command = $place/page" '[defaults]' 'restarts = 3/60s' 'on_restarts = hook:page, stop'
  start_engine
  start_watchdog --dry-run
  fake POST container "$LOOP"
  await step_is 1 '^stop observed'
  step_is 0 '^hook observed mode = observe: page would have been run$'
  [ ! -e was-run ]
}

@test "check says whether the command is there, can be run, and is nobody else's to change" {
  hook good 'exit 0'
  write_config '[hook one]' "command = $place/good" '[hook two]' "command = $place/none" '[defaults]' \
    'on_exit = hook:one, hook:two'
  run sea check --json
  [ "$(jq -r '.checks[] | select(.what == "hook") | .state' <<<"$output" | xargs)" = "ok failed" ]
  chmod 777 good
  run sea check
  [[ $output == *"good can be written by everybody"* ]]
  chmod 644 good
  run sea check
  [[ $output == *"good: Permission denied"* || $EUID != 0 ]]
  write_config '[hook one]' 'command = good --team infra'
  run -2 sea check
  [[ $output$stderr == *"good must be an absolute path"* ]]
}

@test "labels name no hooks" {
  hook page "touch $place/was-run"
  write_config '[hook page]' "command = $place/page" '[defaults]' 'restarts = 3/60s'
  start_engine
  start_watchdog
  fake POST container "${LOOP%\}},\"labels\":{\"seadog.on_restarts\":\"hook:page, stop\"}}"
  await is_verdict loop held
  step_is 0 '^stop done'
  [ ! -e was-run ]
}
