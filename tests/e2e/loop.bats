#!/usr/bin/env bats
# The rule the project exists for: a loop ends at its fifth crash, and what was taken is given back.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

hold_a_loop() {
  watch
  loop web 3 0 "$@"
  wait_until 30 is_held web
}

@test "a loop is held at its fifth crash: there is no sixth start" {
  hold_a_loop --restart always
  expect_stays_down web
  expect "$(starts web)" 5
  expect "$(policy web)" no:0
  expect "$(restarts web)" 5
  expect_like "$(incident 1 .why)" "^5 restarts within 60s \(limit 5/60s\).*last exit code 3$"
  expect "$(incident 1 '.trigger + " " + .outcome + " " + (.steps | map(.action + " " + .result) | join(","))')" \
    "restarts held stop done"
  expect "$(service web '.hold.restart_policy + " " + .hold.kind + " " + (.hold.incident | tostring)')" "always stop 1"
  expect "$(service web '.restarts | map(.count) | add')" 0
}

@test "the last log lines of the loop are kept with its incident" {
  hold_a_loop --restart always
  docker rm -f web
  expect_like "$(seadog show 1)" "web is leaving"
}

@test "a hold outlives the Engine and the watchdog" {
  hold_a_loop --restart always
  end_watch
  restart_engine
  expect_stays_down web
  watch
  expect "$(verdict web)" held
  expect "$(policy web)" no:0
  seadog release web
  expect "$(policy web)" always:0
}

@test "release gives the policy back and starts it; mended, it runs" {
  watch
  docker volume create etc
  docker run -d --name web --restart always -v etc:/etc/web bb:1 \
    sh -c 'test -f /etc/web/conf || exit 3; sleep 86400'
  wait_until 30 is_held web
  docker run --rm -v etc:/etc/web bb:1 touch /etc/web/conf
  seadog release web
  wait_until 10 state_is web running
  expect "$(policy web)" always:0
  wait_until 10 verdict_is web well
  docker rm -fv web && docker volume rm etc
}

@test "a release of what is not mended ends in a hold again, after five crashes of its own" {
  configure <<<$'[defaults]\ncooldown = 0s'
  hold_a_loop --restart always
  seadog release web
  wait_until 30 is_held web
  expect_stays_down web
  expect "$(starts web)" 10
  expect "$(incidents)" 2
}

@test "release --no-start gives the policy back and leaves it down" {
  hold_a_loop --restart unless-stopped
  seadog release --no-start web
  expect "$(policy web)" unless-stopped:0
  expect_stays_down web 2
  expect "$(starts web)" 5
}

@test "a count of retries comes back as it was" {
  hold_a_loop --restart on-failure:20
  expect "$(policy web)" no:0
  seadog release --no-start web
  expect "$(policy web)" on-failure:20
}

@test "a start by hand releases, and the policy is back" {
  watch
  docker run -d --name web --restart always bb:1 \
    sh -c 'test -f /tmp/5 && sleep 86400; n=1; while test -f /tmp/$n; do n=$((n + 1)); done; touch /tmp/$n; exit 3'
  wait_until 30 is_held web
  docker start web
  wait_until 10 verdict_is web well
  expect "$(policy web)" always:0
  expect "$(state web)" running
}

@test "a label that calls the exit code 0 does not hide a crash" {
  hold_a_loop --restart on-failure:20 --label exitCode=0 --label execDuration=999
  expect "$(starts web)" 5
  expect_like "$(incident 1 .why)" "last exit code 3$"
}

@test "exit code 0 is a crash where the policy answers it" {
  watch
  loop web 0 0 --restart always
  wait_until 30 is_held web
  expect "$(starts web)" 5
  expect_like "$(incident 1 .why)" "last exit code 0$"
}

@test "a loop that was under way before the watchdog came is held" {
  loop web 3 0 --restart always
  wait_until 40 has_restarted web 6
  watch
  wait_until 30 is_held web
  expect_stays_down web
  expect "$(policy web)" no:0
}

@test "two loops at once: each is held at its fifth crash" {
  watch
  loop web 3 0 --restart always
  loop api 4 0 --restart always
  wait_until 40 is_held web
  wait_until 40 is_held api
  expect_stays_down web
  expect "$(starts web) $(starts api)" "5 5"
}

@test "observe: the incident is told, the loop goes on" {
  watch --dry-run
  loop web 3 0 --restart always
  wait_until 30 log_has "web .*5 restarts within 60s"
  wait_until 30 has_restarted web 7
  expect "$(incident 1 '.outcome + " " + (.steps | map(.action + " " + .result) | join(","))')" "observed stop observed"
  expect "$(policy web)" always:0
}
