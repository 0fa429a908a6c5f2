#!/usr/bin/env bats
# The rule the project exists for: a loop ends at its fifth crash, and what was taken is given back.

load lib

@test "a loop is held at its fifth crash: there is no sixth start" {
  watch
  loop web 3 0 --restart always
  wait_until 30 is_held web
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
