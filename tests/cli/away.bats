#!/usr/bin/env bats
# Without an Engine, without a watchdog.
# shellcheck disable=SC2154 # root, place, watchdog: helper.bash
load helper

@test "without a watchdog and without memory there is nothing to read" {
  for command in status incidents "show 7" "explain web" "hold web" "mute web" unmute "release web" "release --all" healthcheck; do
    # shellcheck disable=SC2086
    run -7 --separate-stderr sea $command
    [ -z "$output" ]
  done
  for command in status incidents "show 7" "release web" "release --all"; do
    # shellcheck disable=SC2086
    run -7 --separate-stderr sea $command
    [ "$stderr" = "seadog: the watchdog is not running, and $place/state remembers nothing" ]
  done
  run -7 --separate-stderr sea status --json
  [ "$(jq -r .exit <<<"$stderr")" = 7 ]
}

@test "check without an Engine is exit code 6 and says what that switches off" {
  run -6 --separate-stderr sea check
  [ -z "$stderr" ]
  [[ $output == *"✗ engine"* ]]
  [[ $output == *"switches off: everything"* ]]
  run -6 --separate-stderr sea check --json
  [ "$(jq -r .ok <<<"$output")" = false ]
  [ "$(jq -r '.checks[] | select(.what == "engine") | .state' <<<"$output")" = failed ]
}

@test "check changes nothing" {
  sea check || true
  [ ! -e state ]
  [ ! -e seadog.sock ]
}

@test "events without a watchdog and without an Engine is exit code 6" {
  run -6 sea events
  run -6 sea events --follow
}

@test "check names the calls that a proxy refuses" {
  start_engine
  run -0 sea check
  [[ $output == *"✓ engine"* ]]
  fake POST fault '{"method":"POST","path":"*/stop*","do":"status","status":403,"body":"{\"message\":\"forbidden\"}"}'
  run -1 --separate-stderr sea check
  [[ $output == *"✗ stop"*forbidden* ]]
  [[ $output == *"switches off: holds"* ]]
}

@test "a state directory that cannot be written is a failure with its reason" {
  start_engine
  [ "$(id -u)" = 0 ] || skip "needs root, to become somebody else"
  mkdir -m 0555 state
  chmod 0755 "$place"
  chmod 0666 engine.sock
  run -1 setpriv --reuid 65534 --regid 65534 --clear-groups "$root/build/seadog" --config seadog.conf check
  [[ $output == *"✗ state directory"*"Permission denied"* ]]
}

@test "a socket that may not be opened is not a watchdog that does not run" {
  start_engine
  [ "$(id -u)" = 0 ] || skip "needs root, to become somebody else"
  start_watchdog
  chmod 0755 "$place"
  run -1 --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$root/build/seadog" --config seadog.conf status
  [[ $stderr == *"Permission denied"* ]]
}
