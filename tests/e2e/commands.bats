#!/usr/bin/env bats
# What people type: by hand, and when something is not as it should be.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

@test "hold and release by hand" {
  live web --restart unless-stopped
  watch
  run -0 seadog hold --dry-run web
  expect "$(state web) $(policy web)" "running unless-stopped:0"
  run -0 seadog hold web
  expect "$(state web) $(policy web)" "exited no:0"
  expect "$(verdict web)" held
  run -0 seadog release --dry-run web
  expect "$(verdict web)" held
  run -0 seadog release web
  expect "$(state web) $(policy web)" "running unless-stopped:0"
  expect "$(verdict web)" well
  expect "$(incidents)" 0
}

@test "release of what is not held is refused, of what is not there not found" {
  live web --restart always
  watch
  run -5 seadog release web
  run -4 seadog release api
  run -4 seadog hold api
  run -4 seadog explain api
  run -4 seadog show 99
  run -2 seadog hold
}

@test "release --all gives back everything that is held" {
  live web --restart always
  live api --restart on-failure:3
  watch
  seadog hold web
  seadog hold api
  run -0 seadog release --all --yes
  expect "$(policy web) $(state web)" "always:0 running"
  expect "$(policy api) $(state api)" "on-failure:3 running"
}

@test "release without a watchdog, and with nothing but its state directory" {
  live web --restart always
  watch
  seadog hold web
  end_watch
  run -7 seadog hold web
  run -0 seadog status
  expect "$(verdict web)" held
  run -0 seadog release web
  expect "$(state web) $(policy web)" "running always:0"
  watch
  expect "$(verdict web)" well
}

@test "the watchdog that comes after a kill -9 knows who is held" {
  live web --restart always
  watch
  seadog hold web
  end_watch KILL
  watch
  expect "$(verdict web)" held
  run -0 seadog release web
  expect "$(policy web)" always:0
}

@test "mute: a loop is looked at, not acted on; unmute: it is" {
  watch
  live web --restart always
  wait_until 10 verdict_is web well
  seadog mute web --for 1h
  expect "$(verdict web)" muted
  expect_like "$(service web .muted_until)" "^20[0-9-]+T[0-9:.]+Z$"
  for _ in 1 2 3 4 5; do
    crash web
  done
  wait_until 20 has_restarted web 5
  sleep 1
  expect "$(policy web)" always:0
  seadog unmute web
  wait_until 30 is_held web
}

@test "mute of everything ends by itself" {
  live web --restart always
  watch
  seadog mute --for 2s
  expect "$(verdict web)" muted
  wait_until 10 verdict_is web well
}

@test "never: a service that must not be touched is not" {
  configure <<<'never = db*'
  watch
  loop db 3 0 --restart always
  wait_until 30 has_restarted db 6
  expect "$(policy db)" always:0
  run -5 seadog hold db
}

@test "a second seadog is refused, by its state directory and by its Engine" {
  watch
  run -5 timeout 20 "$program" --config "$home/seadog.conf" run
  expect_like "$output" "pid $watchdog"
  for _ in 1 2 3; do
    printf '[engine]\nhost = %s\n[seadog]\nstate_dir = %s/other\ncontrol = %s/other.sock\n' \
      "$DOCKER_HOST" "$home" "$home" >"$home/other.conf"
    run -5 timeout 20 "$program" --config "$home/other.conf" run
    expect_like "$output" "guarded by another seadog already, pid $watchdog"
  done
  watches
}

@test "a faulty configuration: every fault is named, and nothing is started" {
  configure <<<$'max_actons = 3\n[defaults]\nrestarts = 5\nverify = soon\n[nonsense]\na = b'
  run -2 seadog run
  expect_like "$output" "max_actons.*did you mean max_actions"
  expect_like "$output" "seadog.conf:[0-9]+: .*restarts"
  expect_like "$output" "verify"
  expect_like "$output" "nonsense"
  run -2 seadog check
}

@test "SIGHUP loads anew; a faulty file leaves the old in force" {
  configure <<<$'[defaults]\nrestarts = 50/60s'
  watch
  live web --restart always
  wait_until 10 verdict_is web well
  expect_like "$(seadog explain web)" "50/60s"
  cp "$home/seadog.conf" "$home/before.conf"
  configure <<<$'[defaults]\nrestarts = nonsense'
  kill -HUP "$watchdog"
  wait_until 10 log_has "the old one stays in force"
  run -0 seadog status # who asks a watchdog that runs is warned of the file, and answered
  expect_like "$output" "has 1 fault"
  run -2 seadog check
  expect_like "$("$program" --config "$home/before.conf" explain web)" "50/60s"
  configure <<<$'[defaults]\nrestarts = 2/60s'
  kill -HUP "$watchdog"
  wait_until 10 log_has "was loaded anew"
  expect_like "$(seadog explain web)" "2/60s"
  crash web
  wait_until 10 has_restarted web 1
  crash web
  wait_until 30 is_held web
}

@test "healthcheck: 0 while it watches, 7 without it" {
  run -7 seadog healthcheck
  watch
  run -0 seadog healthcheck
  end_watch
  run -7 seadog healthcheck
}

@test "end of the watchdog: TERM is an orderly end" {
  watch
  kill -TERM "$watchdog"
  local code=0
  wait "$watchdog" || code=$?
  expect "$code" 0
  log_has "ending"
  watchdog=
}

@test "check finds an Engine, and says what is missing without one" {
  run -0 seadog check
  expect_like "$output" "engine.*docker.*API 1\."
  run -6 seadog --host "unix://$home/nothing.sock" check
}

@test "events: what the Engine tells, as it comes and from the past" {
  loop web 3 0 --restart no
  wait_until 10 state_is web exited
  expect_like "$(seadog events --since 1m)" "web +die +exit code 3"
  run -0 seadog events --since 1m --record "$home/record"
  expect "$(jq -r 'select(.Action == "die") | .Actor.Attributes.name' "$home/record" | tail -n 1)" web
}
