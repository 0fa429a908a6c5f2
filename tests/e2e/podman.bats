#!/usr/bin/env bats
# Podman behind its Docker-compatible socket: what is the same there, and what is refused because it cannot be known.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

# It is of the newest Debian, as that Engine: once is enough.
is_turn() { [ "${E2E_ENGINE:-host}" = 28.5 ] && engine has podman; }

setup_file() {
  is_turn || return 0
  E2E_DIR=${E2E_DIR:-$(mktemp -d /tmp/seadog-e2e.XXXXXX)}
  export E2E_DIR DOCKER_HOST=unix://$E2E_DIR/docker.sock
  engine start podman "$E2E_DIR"
  engine image "$E2E_DIR" bb:1
}

teardown_file() { ! is_turn || engine remove "$E2E_DIR"; }

setup() {
  is_turn || skip "Podman has its turn with Engine 28.5"
  common_setup
}
teardown() { ! is_turn || common_teardown; }

outcome_is() { [ "$(incident "$1" '.outcome // "open"')" = "$2" ]; }

@test "47: a loop is seen, though Podman knows no restarting and no back-off, and is held" {
  watch
  loop web 3 0.3 --restart always
  wait_until 60 is_held web
  wait_until 20 outcome_is 1 held
  expect_like "$(incident 1 .why)" '^5 restarts within .*last exit code 3'
  expect_stays_down web 3
  expect "$(incident 1 '.steps[-1].detail')" "restart policy always kept for release"
  seadog release web
  wait_until 20 has_restarted web 1
}

@test "47: held and released by hand, over a kill -9" {
  watch
  live web --restart always
  wait_until 20 verdict_is web well
  seadog hold web
  wait_until 20 is_held web
  end_watch KILL
  watch
  is_held web
  expect_stays_down web
  seadog release web
  wait_until 20 state_is web running
  wait_until 20 verdict_is web well
  expect "$(policy web)" always:0
}

@test "47: a rollback is refused, because Podman does not show all that a container was made with" {
  watch
  live web --restart always
  docker create --name maker bb:1 true >/dev/null
  docker commit --change 'ENV A=b' maker app:2 >/dev/null
  wait_until 20 verdict_is web well
  before=$(inspect web '{{.Id}}')
  run -5 seadog rollback web --to app:2
  expect_like "$output" 'Podman does not show all that a container was made with'
  expect "$(inspect web '{{.Id}}')" "$before"
  state_is web running
}

@test "47: check finds nothing that is refused" {
  docker run -d --name web bb:1 sleep 1000 >/dev/null
  run seadog check
  expect_like "$output" 'podman [0-9.]+, API'
  [[ $output != *refused* ]]
}
