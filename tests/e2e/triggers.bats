#!/usr/bin/env bats
# The other triggers, and the ladders that they climb.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

has_incident() { [ "$(incidents)" -ge 1 ]; }
outcome_is() { [ "$(incident "$1" .outcome)" = "$2" ]; }
steps() { incident "$1" '.steps | map(.action + " " + .result) | join(", ")'; }

# A container with a health check once a second, which fails while /tmp/sick is there.
checked() {
  local name=$1
  shift
  docker run -d --name "$name" --restart always --health-cmd 'test ! -f /tmp/sick' --health-interval 1s \
    --health-retries 1 --health-timeout 5s "$@" >/dev/null
}

healthy() { [ "$(inspect "$1" '{{.State.Health.Status}}')" = healthy ]; }

@test "unhealthy: restarted, verified, and it helped" {
  configure <<<$'[defaults]\nunhealthy = 2s\non_unhealthy = restart, stop\nverify = 3s'
  checked web --tmpfs /tmp bb:1 sleep 86400
  wait_until 20 healthy web
  watch
  docker exec web touch /tmp/sick
  wait_until 40 outcome_is 1 recovered
  expect "$(incident 1 .trigger)" unhealthy
  expect "$(steps 1)" "restart done"
  expect "$(state web) $(policy web)" "running always:0"
  wait_until 20 verdict_is web well
}

@test "unhealthy: the restart does not help, so it is held" {
  configure <<<$'[defaults]\nunhealthy = 2s\non_unhealthy = restart, stop\nverify = 3s'
  checked web bb:1 sleep 86400
  wait_until 20 healthy web
  watch
  docker exec web touch /tmp/sick
  wait_until 90 outcome_is 1 held
  expect "$(steps 1)" "restart failed, stop done"
  expect "$(state web) $(policy web)" "exited no:0"
}

@test "unhealthy for a moment only: it is left alone" {
  configure <<<$'[defaults]\nunhealthy = 8s\non_unhealthy = restart, stop'
  checked web bb:1 sleep 86400
  wait_until 20 healthy web
  watch
  local before
  before=$(started web)
  docker exec web touch /tmp/sick
  wait_until 20 service web 'select(.health == "unhealthy") | .name'
  docker exec web rm /tmp/sick
  wait_until 20 healthy web
  sleep 8
  expect "$(incidents)" 0
  expect "$(started web)" "$before"
}

@test "three OOM kills trip oom, while the loop that they are is held by its own rule" {
  configure <<<$'[defaults]\nrestarts = 4/60s'
  watch
  docker run -d --name web --restart always --memory 32m --memory-swap 32m bb:1 sh -c 'sleep 0.5; tail /dev/zero'
  wait_until 60 is_held web
  expect "$(starts web)" 4
  expect "$(seadog incidents --json | jq -r '[.incidents[].trigger] | sort | join(" ")')" "oom restarts"
  expect_like "$(seadog incidents --json | jq -r '.incidents[] | select(.trigger == "oom") | .why')" \
    "^3 OOM kills within"
}

@test "oom = stop ends it at the kill that the rule names" {
  configure <<<$'[defaults]\noom = 4/10m\non_oom = stop'
  watch
  docker run -d --name web --restart always --memory 32m --memory-swap 32m bb:1 sh -c 'sleep 0.5; tail /dev/zero'
  wait_until 60 is_held web
  expect "$(starts web)" 4
  expect "$(incident 1 '.trigger + " " + .outcome')" "oom held"
}

@test "down: the Engine cannot start it again, and says nothing" {
  configure <<<$'[defaults]\ndown = 3s'
  mkdir "$home/bound"
  watch
  live web --restart always --mount "type=bind,source=$home/bound,target=/bound"
  wait_until 10 verdict_is web well
  rmdir "$home/bound"
  crash web
  wait_until 40 has_incident
  expect "$(incident 1 .trigger)" down
  expect_like "$(incident 1 .why)" "bind source path does not exist|no such file"
  mkdir "$home/bound"
  docker start web
  wait_until 40 outcome_is 1 recovered
}

@test "down: what somebody stopped is not down" {
  configure <<<$'[defaults]\ndown = 2s'
  live web --restart always
  watch
  docker stop -t 5 web
  sleep 4
  expect "$(incidents)" 0
}

@test "down: what somebody killed while the Engine waited is not down" {
  configure <<<$'[defaults]\nrestarts = 50/60s\nflapping = 50/1h\ndown = 2s'
  watch
  loop web 3 0 --restart always
  wait_until 40 has_restarted web 6
  wait_until 10 state_is web restarting
  docker kill web
  sleep 5
  expect "$(state web)" exited
  expect "$(incidents)" 0
}

@test "flapping: a loop too slow for the window of restarts" {
  configure <<<$'[defaults]\nrestarts = 3/3s\nflapping = 4/2m\non_flapping = stop'
  watch
  loop web 3 2 --restart always
  wait_until 60 is_held web
  expect "$(starts web)" 4
  expect "$(incident 1 .trigger)" flapping
  expect_like "$(incident 1 .why)" "^4 restarts within 2m"
}

@test "exit: a code that trips at the first crash" {
  configure <<<$'[defaults]\nexit = 78'
  watch
  loop web 78 0 --restart always
  wait_until 30 is_held web
  expect_like "$(starts web)" "^[12]$" # the Engine waits a tenth of a second, and may be late to tell
  expect "$(incident 1 .trigger)" exit
}

@test "ignore_exit: a code that is no crash" {
  configure <<<$'[defaults]\nignore_exit = 3'
  watch
  loop web 3 0 --restart always
  wait_until 30 has_restarted web 6
  expect "$(incidents)" 0
  expect "$(policy web)" always:0
}

@test "stop of a container with AutoRemove would delete it: refused, with the reason" {
  configure <<<$'[defaults]\nunhealthy = 1s\non_unhealthy = stop'
  watch
  docker run -d --rm --name web --health-cmd false --health-interval 1s --health-retries 1 bb:1 sleep 86400
  wait_until 40 has_incident
  wait_until 20 outcome_is 1 failed
  expect "$(steps 1)" "stop skipped"
  expect_like "$(incident 1 '.steps[0].detail')" "AutoRemove|removed"
  expect "$(state web)" running
  run -5 seadog hold web
}

@test "pause keeps the evidence; release lets it go on" {
  configure <<<$'[defaults]\nunhealthy = 1s\non_unhealthy = pause'
  checked web --tmpfs /tmp bb:1 sleep 86400
  wait_until 20 healthy web
  watch
  docker exec web touch /tmp/sick
  wait_until 30 is_held web
  expect "$(state web)" paused
  expect "$(service web .hold.kind)" pause
  seadog release web
  wait_until 10 state_is web running
  docker exec web rm -f /tmp/sick
}

@test "cooldown: a second incident that acts waits for its end" {
  configure <<<$'[defaults]\nrestarts = 2/60s\ncooldown = 8s\non_restarts = restart, notify\nverify = 1s'
  watch
  live web --restart always
  for _ in 1 2; do
    crash web
    sleep 0.5
  done
  wait_until 20 outcome_is 1 recovered
  expect "$(steps 1)" "restart done"
}

@test "the budget: no more changing actions on the host than max_actions" {
  configure <<<$'max_actions = 1/1h\n[defaults]\nrestarts = 2/60s'
  watch
  loop web 3 0 --restart always
  wait_until 30 is_held web
  loop api 3 0 --restart always
  wait_until 30 has_restarted api 5
  expect "$(policy api)" always:0
  expect "$(verdict api)" sick
}
