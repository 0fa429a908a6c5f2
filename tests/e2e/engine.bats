#!/usr/bin/env bats
# The Engine and the watchdog end in the middle of things, and come back.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

crashes_of() { service "$1" '.restarts[] | select(.trigger == "restarts") | .count'; }
has_crashed() { [ "$(crashes_of "$1")" -ge "$2" ] 2>/dev/null; } # it may not have been listed yet

@test "kill -9 in the middle of a loop: what was counted counts, and it is held at its fifth crash" {
  watch
  live web --restart always
  for n in 1 2 3; do
    crash web
    wait_until 20 has_crashed web "$n"
  done
  end_watch KILL
  watch
  wait_until 20 has_crashed web 3
  expect "$(crashes_of web)" 3
  for n in 4 5; do
    crash web
    [ "$n" = 5 ] || wait_until 20 has_crashed web "$n"
  done
  wait_until 30 is_held web
  expect "$(starts web)" 5
  expect "$(restarts web)" 5
  expect_like "$(incident 1 .why)" "^5 restarts within 60s"
}

@test "kill -9 while the loop goes on: it is held at its fifth crash, or at the sixth at the latest" {
  watch
  loop web 3 0 --restart always
  wait_until 20 has_restarted web 2
  end_watch KILL
  watch
  wait_until 30 is_held web
  expect_stays_down web
  expect_like "$(starts web)" "^[56]$"
  expect "$(policy web)" no:0
}

@test "kill -9 just when it is held: what was begun is finished, and nothing is forgotten" {
  for wait in 0 0.02 0.05 0.1; do
    "$program" --config "$home/seadog.conf" run >>"$log" 2>&1 </dev/null 3>&- &
    watchdog=$!
    wait_until 20 watches
    loop "web$wait" 3 0 --restart always
    wait_until 30 log_has "web$wait  5 restarts within"
    sleep "$wait"
    end_watch KILL
    watch
    wait_until 30 is_held "web$wait"
    expect_stays_down "web$wait" 2
    expect "$(policy "web$wait")" no:0
    expect "$(service "web$wait" .hold.restart_policy)" always
    end_watch
  done
}

@test "the Engine restarts in the middle of a loop: it is held all the same" {
  watch
  loop web 3 0 --restart always
  wait_until 20 has_restarted web 3
  restart_engine
  wait_until 40 is_held web
  expect_stays_down web
  expect "$(policy web)" no:0
  expect "$(incidents)" 1
}

# An Engine that was killed may find what it left ("task … already exists") and give its container up: somebody starts it.
# Where even that is refused for ever ("mkdir …: file exists"), it is down, and that is said with the Engine's words.
is_held_or_down() {
  is_held "$1" && return
  [ "$(incident 1 .trigger 2>/dev/null)" != down ] || return 0
  if [ -n "$(inspect "$1" '{{.State.Error}}')" ]; then docker start "$1" >/dev/null 2>&1; fi
  return 1
}

@test "the Engine is killed in the middle of a loop" {
  watch
  loop web 3 0 --restart always
  wait_until 20 has_restarted web 3
  engine kill "$E2E_DIR"
  engine start "${E2E_ENGINE:-host}" "$E2E_DIR"
  wait_until 90 is_held_or_down web
  if ! is_held web; then
    expect_like "$(incident 1 .why)" "exists"
    skip "the Engine cannot start again what it ran when it was killed"
  fi
  expect_stays_down web
  expect "$(policy web)" no:0
}

@test "an Engine that restarts is no crash of what runs on it" {
  live web --restart always
  watch
  restart_engine
  wait_until 30 state_is web running
  wait_until 30 watches
  wait_until 30 verdict_is web well
  expect "$(crashes_of web)" 0
  expect "$(incidents)" 0
}

@test "the Engine is away: commands say so with 6, the watchdog waits and goes on" {
  live api --restart always
  watch
  seadog hold api
  engine stop "$E2E_DIR"
  wait_until 20 log_has "(away|lost|closed)"
  run -1 seadog healthcheck
  run -6 seadog release api
  run -6 seadog events --since 1m
  run -6 seadog check
  run -0 seadog status
  end_watch
  run -6 seadog release api
  "$program" --config "$home/seadog.conf" run >>"$log" 2>&1 </dev/null 3>&- &
  watchdog=$!
  sleep 1
  kill -0 "$watchdog"
  engine start "${E2E_ENGINE:-host}" "$E2E_DIR"
  wait_until 30 watches
  expect "$(verdict api)" held
  loop web 3 0 --restart always
  wait_until 30 is_held web
}
