#!/usr/bin/env bats
# With an Engine and a watchdog: what people ask, and what they are told.
# shellcheck disable=SC2154 # root, place, watchdog: helper.bash
load helper

loop_until_held() {
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"loop","image":"acme/loop:1","policy":"always","script":{"lives":"20ms","exit_code":3,"logs":"no route to host\n"}}'
  await is_verdict loop held
}

# Its restart policy and state: engine_says NAME "POLICY STATE"
engine_says() {
  [ "$(curl -s --unix-socket engine.sock "http://localhost/containers/$1/json" |
    jq -r '.HostConfig.RestartPolicy.Name, .State.Status' | xargs)" = "$2" ]
}

@test "a loop is held, seen, told, explained and released" {
  write_config '[defaults]' 'restarts = 3/60s'
  start_engine
  start_watchdog
  loop_until_held

  run -0 --separate-stderr sea status
  [[ ${lines[0]} == NAME*STATE*VERDICT*RESTARTS*HOLD ]]
  [[ $output =~ loop\ +exited\ +held ]]
  [[ $output =~ web\ +running\ +well\ +0/3\ in\ 60s ]]
  [ -z "$stderr" ]

  run -0 sea status loop --json
  [ "$(jq -r '.schema, .mode, .services[0].hold.restart_policy, .services[0].hold.kind' <<<"$output" | xargs)" = "1 act always stop" ]
  [ "$(jq '.services | length' <<<"$output")" = 1 ]

  run -4 --separate-stderr sea status web nobody
  [[ $output == *web* ]]
  [ "$stderr" = "seadog: no such service: nobody" ]

  run -0 sea incidents --json
  [ "$(jq -r '.incidents[0] | .trigger, .outcome, .steps[0].action, .steps[0].result' <<<"$output" | xargs)" = "restarts held stop done" ]
  id=$(jq '.incidents[0].id' <<<"$output")
  run -0 sea incidents loop --since 1h
  [[ $output == *"stop done"* ]]
  run -0 --separate-stderr sea incidents web
  [ -z "$output" ]
  run -4 sea incidents nobody
  run -2 --separate-stderr sea incidents --since 2099-01-01T00:00:00Z
  [ "$stderr" = "seadog: --since 2099-01-01T00:00:00Z: that is in the future" ]
  run -0 --separate-stderr sea incidents --since 1us
  [ "$stderr" = "no incidents" ]

  run -0 sea show "$id"
  [[ $output == "Incident $id  loop"* ]]
  [[ $output == *"no route to host"* ]]
  [[ $output == *"seadog release loop"* ]]
  run -0 sea show "#$id" --json
  [ "$(jq -r '.incident.name' <<<"$output")" = loop ]
  run -4 sea show 4711

  run -0 sea explain loop
  [[ $output == *"seadog.conf:"* ]]
  run -0 sea explain web --json
  [ "$(jq -r '.triggers[] | select(.trigger == "restarts") | .limit' <<<"$output")" = 3 ]
  run -4 sea explain nobody

  run -0 sea release loop --dry-run
  [[ $output == *start* ]]
  is_verdict loop held
  fake POST script '{"name":"loop","lives":"1h"}'
  run -0 --separate-stderr sea release loop
  [ "$stderr" = "loop is released" ]
  await is_verdict loop well
  run -5 sea release loop
  run -4 sea release nobody
}

@test "a hold by hand, and release --all" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"unless-stopped"}'
  fake POST container '{"name":"db","image":"acme/db:1","policy":"always"}'
  start_watchdog
  run -0 sea hold web --dry-run
  [[ $output == *stop* ]]
  is_verdict web well
  run -0 --separate-stderr sea hold web
  [ "$stderr" = "web is on hold" ]
  is_verdict web held
  run -0 sea hold db -q
  run -4 sea hold nobody
  run -0 sea release --all -n
  [[ $output == *$'db:\n  '* ]]
  [[ $output == *$'web:\n  '* ]]
  run -0 sea mute -n --json
  [ "$(jq -c '[.plan, .name]' <<<"$output")" = '[["mute every service"],null]' ]
  run -0 sea pin web -n
  [ "$output" = "pin web acme/web:1" ]
  run -0 sea unpin web -n --json
  [ "$(jq -c '[.plan, .name]' <<<"$output")" = '[["unpin web"],"web"]' ]
  run -0 sea unmute web -n
  [ "$output" = "unmute web" ]
  run -0 --separate-stderr sea release --all --json </dev/null
  [ "$(jq -r .released <<<"$output" | sort | xargs)" = "db web" ]
  await is_verdict web well
  run -0 --separate-stderr sea release --all
  [ "$stderr" = "no service is on hold" ]
}

@test "release works when the watchdog is gone, and the next one knows" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"db","image":"acme/db:1","policy":"on-failure","retries":3}'
  start_watchdog
  sea hold web
  sea hold db
  stop_watchdog

  run -0 --separate-stderr sea status
  [[ $stderr == "the watchdog is not running"* ]]
  [[ $output =~ web\ +unknown\ +held ]]
  run -4 --separate-stderr sea release nobody --json
  [ "$(jq -r .exit <<<"$stderr")" = 4 ]
  run -0 --separate-stderr sea release web -n
  [[ $output == *start* ]]
  run -0 --separate-stderr sea release web
  [ "$stderr" = "the watchdog is not running: releasing from what $place/state remembers"$'\n'"web is released" ]
  run -5 sea release web
  run -0 --separate-stderr sea release --all
  [[ $stderr == *"db is released"* ]]
  run -0 --separate-stderr sea release --all
  [[ $stderr == *"no service is on hold"* ]]
  run -0 curl -s --unix-socket engine.sock http://localhost/containers/db/json
  [ "$(jq -r '.HostConfig.RestartPolicy.Name, .HostConfig.RestartPolicy.MaximumRetryCount, .State.Status' <<<"$output" | xargs)" = "on-failure 3 running" ]
  start_watchdog
  await is_verdict web well
}

@test "release without a watchdog ends the hold that its death broke off, too" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  start_watchdog
  fake POST fault '{"method":"POST","path":"*/stop*","do":"delay","span":"1h","times":1}'
  sea hold web 2>/dev/null 3>&- &
  started="$started $!"
  await engine_says web "always exited"
  kill -9 "$watchdog"
  wait "$watchdog" || true

  run -0 --separate-stderr sea release web
  [[ $stderr == *"web: hold, which was under way when the watchdog ended"*"web is released" ]]
  engine_says web "always running"
  run -5 sea release web
}

@test "release without a watchdog: one of two cannot be released" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"db","image":"acme/db:1","policy":"always"}'
  start_watchdog
  sea hold web
  sea hold db
  stop_watchdog
  id=$(sea status db --json -q | jq -r '.services[0].id')
  fake POST fault "{\"method\":\"POST\",\"path\":\"*/$id/start*\",\"do\":\"status\",\"status\":500,\"times\":-1}"
  run -3 --separate-stderr sea release --all
  [[ $stderr == *" is released"* ]]
  stop_engine
  run -6 sea release --all
}

@test "incidents, told after the watchdog is gone" {
  write_config '[defaults]' 'restarts = 3/60s'
  start_engine
  start_watchdog
  loop_until_held
  stop_watchdog
  run -0 --separate-stderr sea incidents --json
  [[ $stderr == "the watchdog is not running"* ]]
  [ "$(jq -r '.incidents[0].outcome' <<<"$output")" = held ]
  run -0 --separate-stderr sea show "$(jq '.incidents[0].id' <<<"$output")" -q
  [[ $output == *"no route to host"* ]]
  [ -z "$stderr" ]
  run -4 sea show 4711
  run -7 sea incidents --follow
}

@test "incidents --follow tells changes as they come" {
  write_config '[defaults]' 'restarts = 3/60s'
  start_engine
  start_watchdog
  goes_on followed incidents --follow
  goes_on followed.json incidents --follow --json
  loop_until_held
  await grep -q 'closed: held' followed
  await grep -q '"outcome":"held"' followed.json
  jq -es 'all(.id > 0)' followed.json
}

@test "what follows ends with the watchdog, and says so" {
  start_engine
  start_watchdog
  for command in incidents events; do
    goes_on "$command.out" "$command" --follow --json
    printf -v "$command" %s "$goer"
  done
  stop_watchdog
  for command in incidents events; do
    code=0
    wait "${!command}" || code=$?
    [ "$code" = 7 ]
    [ "$(cat "$command.out.err")" = '{"error":"the watchdog has ended","exit":7}' ]
  done
}

@test "mute, and its end" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  start_watchdog
  run -0 sea mute web --for 2h -n
  [ "$output" = "mute web" ]
  is_verdict web well
  run -0 --separate-stderr sea mute web --for 2h
  [[ $stderr == "muted until "* ]]
  is_verdict web muted
  run -0 sea unmute web
  is_verdict web well
  run -0 --separate-stderr sea mute --for 10m
  [[ $stderr == "muted until "* ]]
  is_verdict web muted
  run -0 sea unmute
  is_verdict web well
  run -4 sea mute nobody
  run -4 sea mute nobody -n
}

@test "a state directory that takes nothing: what is only remembered is done, and it is said that it will be forgotten" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  start_watchdog
  run -0 sea mute web --json
  [ "$(jq -r 'has("not_remembered")' <<<"$output")" = false ]
  mv state elsewhere
  touch state
  for command in "mute web" "unmute web" mute unmute "pin web"; do
    # shellcheck disable=SC2086
    run -0 --separate-stderr sea $command
    [[ $stderr == *"warning: this is not remembered over a restart of seadog: "*"$place/state"* ]]
    # shellcheck disable=SC2086
    run -0 sea $command --json
    [[ $(jq -r .not_remembered <<<"$output") == *"$place/state"* ]]
  done
  stop_watchdog
  grep -q "ending; what is held stays held, but what has changed of late is not on disk: .*$place/state" run.err
  run ! grep -q "what is remembered is on disk" run.err
}

@test "events, of the watchdog and of the Engine itself" {
  start_engine
  run -0 --separate-stderr sea events
  [ -z "$output" ]
  [ "$stderr" = "no events" ]
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  run -0 --separate-stderr sea events --json --record recorded
  [[ $(jq -r 'select(.event == "start") | .name' <<<"$output") == web ]]
  [ "$(jq -rs 'map(select(.Action == "start")) | length' recorded)" = 1 ]
  run -0 sea events --since 1h
  [[ $output =~ web\ +start ]]
  start_watchdog
  goes_on followed events --follow
  fake POST happen '{"name":"web","what":"die","exit_code":3}'
  await grep -q 'exit code 3' followed
  run -0 sea events
  [[ $output == *"exit code 3"* ]]
  run -1 --separate-stderr sea events --record /nowhere/file
}

@test "events --follow of the Engine, while no watchdog runs" {
  start_engine
  fake POST container '{"name":"web","image":"acme/web:1","policy":"always"}'
  goes_on followed events --follow --json --record recorded
  fake POST happen '{"name":"web","what":"die","exit_code":3}'
  await grep -q '"exit_code":3' followed
  grep -q '"die"' recorded
}

@test "healthcheck" {
  start_engine
  start_watchdog
  run -0 sea healthcheck
  [ -z "$output" ]
  run -0 sea healthcheck --json
  [ "$(jq .connected <<<"$output")" = true ]
  fake POST engine '{"do":"kill"}'
  unhealthy() { [ "$(sea healthcheck >/dev/null 2>&1; echo $?)" = 1 ]; }
  await unhealthy
  run -1 --separate-stderr sea healthcheck
  [[ $stderr == *"does not hear the engine"* ]]
  stop_watchdog
  run -7 sea healthcheck
}

@test "check beside a running watchdog" {
  start_engine
  start_watchdog
  run -0 sea check
  [[ $output == *"✓ watchdog"*"runs and hears the engine"* ]]
  [[ $output == *"✓ state directory  $place/state is in use by seadog, pid $watchdog, since "* ]]
}

@test "check says who guards the engine, where that is another watchdog" {
  start_engine
  start_watchdog
  run -0 sea check
  [[ $output != *"engine lock"* ]]
  sed -i "s|$place/state|$place/other|; s|$place/seadog.sock|$place/other.sock|" seadog.conf
  run -0 sea check
  [[ $output == *"! engine lock      another seadog guards this engine, pid $watchdog"* ]]
  run -5 --separate-stderr sea run
  [[ $stderr == *"another seadog already, pid $watchdog"* ]]
}

@test "a second watchdog is refused and told by whom" {
  start_engine
  start_watchdog
  run -5 --separate-stderr sea run
  [[ $stderr == *"$watchdog"* ]]
}

# Leaves a rollback while the watchdog is at it: leaves NAME SIGNAL FLAG…; how it ended, and what it said last.
leaves() {
  env "--default-signal=$2" seadog --config seadog.conf rollback "$1" --to acme/web:2 "${@:3}" >said 2>said.err 3>&- &
  goer=$!
  started="${started:-} $goer"
  await is_verdict "$1" verifying
  kill -s "$2" "$goer"
  ended=0
  wait "$goer" || ended=$?
}

@test "who leaves a rollback is told that it goes on" {
  start_engine
  fake POST image '{"name":"acme/web:2"}'
  fake POST container '{"name":"one","image":"acme/web:1","policy":"always"}'
  fake POST container '{"name":"two","image":"acme/web:1","policy":"always"}'
  start_watchdog
  leaves one INT
  [ "$ended" = 130 ]
  [[ $(tail -n 1 said.err) == *"the watchdog goes on"* ]]
  is_verdict one verifying
  leaves two TERM --json
  [ "$ended" = 143 ]
  [ "$(jq -c .exit said.err)" = 143 ]
  is_verdict two verifying
}
