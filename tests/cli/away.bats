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

@test "an engine that is away when the watchdog starts: what is remembered is listed, and nothing can be done" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"db","image":"acme/db:1","policy":"always"}'
  fake POST container '{"name":"api","image":"acme/api:1","policy":"always"}'
  start_watchdog
  sea hold web
  sea mute db --for 2h
  run -0 sea status web --json
  known=$(jq -c '.services[0] | [.name, .service, .id, .image_id, .verdict, .hold, .restarts]' <<<"$output")
  stop_watchdog
  stop_engine

  goes_on run.out run
  await sea status
  run -0 --separate-stderr sea status
  [[ $stderr == "not connected to the engine at unix://$place/engine.sock: "* ]]
  [[ $output =~ api\ +unknown\ +well ]]
  [[ $output =~ db\ +unknown\ +muted ]]
  [[ $output =~ web\ +unknown\ +held ]]
  run -0 sea status --json web
  [ "$(jq -c '.services[0] | [.name, .service, .id, .image_id, .verdict, .hold, .restarts]' <<<"$output")" = "$known" ]
  [ "$(jq -c '[.engine.connected, (.services[0] | .state, .image, .health)]' <<<"$output")" = '[false,"unknown",null,null]' ]
  for command in "explain web" "hold api" "hold api -n" "release web" "release web -n" "release --all" "release --all -n"; do
    # shellcheck disable=SC2086
    run -6 --separate-stderr sea $command </dev/null
    [[ $stderr == "seadog: "*": the Engine cannot be reached: "* ]]
    [ -z "$output" ]
  done
  run -4 sea explain nobody
  run -0 sea unmute db
  is_verdict db well

  start_engine
  await sea healthcheck
  await grep -q "the hold has ended: the container is gone" run.out.err
  run -0 --separate-stderr sea status
  [ "$stderr" = "no services" ]
  run -4 sea explain web
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

@test "a user without a watchdog of their own asks the system's" {
  unshare -m true 2>/dev/null || skip "needs root, and a /run of its own"
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  sed -i 's|^control = .*|control = /run/seadog/seadog.sock|' seadog.conf
  chmod 0755 "$place"
  # shellcheck disable=SC2016
  run -0 unshare -m bash -c '
    mount -t tmpfs tmpfs /run
    seadog --config seadog.conf run 2>run.err 3>&- &
    for i in {1..600}; do seadog --config seadog.conf healthcheck 2>/dev/null && break; sleep 0.05; done
    somebody() { env -u XDG_RUNTIME_DIR HOME="$PWD" setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
    somebody seadog status 2>&1; echo "= $?"
    chgrp 65534 /run/seadog /run/seadog/seadog.sock
    somebody seadog status -v 2>&1; echo "= $?"
    SEADOG_SEADOG_CONTROL=$PWD/own.sock somebody seadog explain web 2>&1; echo "= $?"
    kill %1; wait'
  [[ ${lines[0]} == *"/run/seadog/seadog.sock"*"Permission denied" ]]
  [[ $output == *"asking the watchdog at /run/seadog/seadog.sock"*"web "*"= 0"* ]]
  [[ $output == *"$place/own.sock"*"= 7" ]]
}

@test "one that was removed while no watchdog ran is not listed any more after the next" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"db","image":"acme/db:1","policy":"always"}'
  start_watchdog
  run -0 --separate-stderr sea status --json
  [ "$(jq '.services | length' <<<"$output")" = 2 ]
  stop_watchdog
  stop_engine
  start_engine
  fake POST container '{"name":"db","image":"acme/db:1","policy":"always"}'
  start_watchdog
  await is_verdict db well
  no_web() { [ "$(sea status --json | jq -c '[.services[].name]')" = '["db"]' ]; }
  await no_web
  stop_watchdog
  run -0 --separate-stderr sea status --json
  [ "$(jq -c '[.services[].name] | index("web")' <<<"$output")" = null ]
}

@test "without a watchdog a name that nobody has is no such thing, and limits are those of the file" {
  write_config '[policy shop]' 'match = project:shop' 'restarts = 3/30s'
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"shop-db-1","image":"acme/db:1","policy":"always","labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"db","com.docker.compose.container-number":"1"}}'
  start_watchdog
  sea hold web
  sea hold shop-db-1
  limits() { sea status --json | jq -c '.services | map({(.service): .restarts[0].limit}) | add'; }
  run -0 --separate-stderr limits
  local known=$output
  [ "$known" = '{"shop/db/1":3,"web":5}' ]
  stop_watchdog
  run -0 --separate-stderr limits
  [ "$output" = "$known" ]
  [[ $stderr == *"labels are not remembered"* ]]
  for command in status pins incidents; do
    run -4 --separate-stderr sea "$command" nobody
    [[ $stderr == *"seadog: no such service: nobody" ]]
    run -4 --separate-stderr sea "$command" nobody --json
    [ "$(jq -c .exit <<<"$stderr")" = 4 ]
  done
  run -0 sea pins web
  run -0 sea incidents shop/db/1
}
