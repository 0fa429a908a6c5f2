#!/usr/bin/env bats
# What takes minutes, by the rules that hold where nobody has set any: one container crashes every twenty seconds, another
# has looped for so long that the Engine waits a minute between two tries, for which it begins with the file.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

eval "start_the_$(declare -f setup_file)"

setup_file() {
  start_the_setup_file
  loop late 3 0 --restart always
}

# Late goes on from one test to the next.
teardown() {
  if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
    echo "--- seadog's log" && tail -n 40 "$log" | cut -c1-300
    echo "--- containers" && timeout 20 docker ps -a --no-trunc
  fi
  [ -z "$watchdog" ] || kill -9 "$watchdog" 2>/dev/null || true
}

@test "a container that lives twenty seconds per round trips flapping at its tenth restart, and restarts never" {
  configure <<<$'[seadog]\nwatch = labelled'
  watch
  loop slow 3 20 --restart always --label seadog.enable=true
  wait_until 400 has_restarted slow 9
  expect "$(incidents)" 0
  wait_until 90 log_has "slow .*10 restarts within 1h"
  expect "$(incident 1 '.service + " " + .trigger + " " + (.steps | map(.action) | join(" "))')" "slow flapping notify"
  expect "$(service slow '.restarts[] | select(.trigger == "flapping") | .count')" 10
  expect "$(incidents)" 1
  expect "$(policy slow)" always:0
  docker rm -f slow
}

# 0.1 s x 2^(N-1), but never more than a minute: from the eleventh crash on.
waits_a_minute() { has_restarted late 11 && state_is late restarting; }

@test "a loop that has come to the longest wait of the Engine before anybody watches trips restarts all the same" {
  wait_until 400 waits_a_minute
  watch
  wait_until 200 is_held late
  expect "$(seadog incidents --json | jq -r '.incidents[] | select(.trigger == "restarts") | .service + " " + .outcome')" \
    "late held"
  expect "$(state late) $(policy late)" "exited no:0"
}

@test "35: what a create on its way made of it after the start is removed two minutes later" {
  watch
  docker create --name web.rbnew-0a1b2c3d bb:1 true
  wait_until 240 log_has 'web.rbnew-0a1b2c3d is left from a rollback that was not ended: removed'
  run ! docker inspect web.rbnew-0a1b2c3d
}
