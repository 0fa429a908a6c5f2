#!/usr/bin/env bats
# An Engine that keeps its images in containerd's store: there the ID of an image is the digest of its manifest.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

is_turn() { [ "${E2E_ENGINE:-host}" = 28.5 ]; }

setup_file() {
  is_turn || return 0
  E2E_DIR=${E2E_DIR:-$(mktemp -d /tmp/seadog-e2e.XXXXXX)}
  export E2E_DIR DOCKER_HOST=unix://$E2E_DIR/docker.sock
  mkdir -p "$E2E_DIR/etc"
  echo '{"features": {"containerd-snapshotter": true}}' >"$E2E_DIR/etc/daemon.json"
  engine start "$E2E_ENGINE" "$E2E_DIR"
  engine image "$E2E_DIR" bb:1
}
teardown_file() { ! is_turn || engine remove "$E2E_DIR"; }
setup() {
  is_turn || skip "of the Engines here 28.5 alone has that store for a stable feature"
  common_setup
}
teardown() { ! is_turn || common_teardown; }

make_image() {
  docker rm -f maker >/dev/null 2>&1 || true
  docker create --name maker bb:1 true
  docker commit --change "CMD $2" maker "$1"
  docker rm maker
} >/dev/null
image() { docker image inspect -f '{{.Id}}' "$1"; }
runs_image() { [ "$(docker inspect -f '{{.Image}} {{.State.Running}}' web 2>/dev/null)" = "$1 true" ]; }
pin_is() { [ "$(service web '.pin.image // "none"')" = "$1" ]; }
closed_as() { [ "$(incident 1 '.outcome // "open"')" = "$1" ]; }
alone() { [ "$(docker ps -aq | wc -l)" = 1 ]; }

deploy() {
  docker rm -f web >/dev/null 2>&1 || true
  docker run -d --name web --restart always -v data:/data --label tier=front "$1" >/dev/null
}

@test "29: learned under a tag that moves, looping, and back, pruned of all its names or not" {
  docker info -f '{{.DriverStatus}}' | grep -q snapshotter
  make_image app:1.0 '["sh","-c","sleep 86400"]'
  good=$(image app:1.0)
  configure <<<$'[defaults]\non_restarts = rollback, stop\ngood_after = 2s\nverify = 4s'
  watch
  docker tag app:1.0 app:latest
  deploy app:latest
  docker exec web sh -c 'echo kept >/data/file'
  wait_until 20 pin_is app:latest
  expect "$(image "seadog/keep:$(echo "$good" | cut -c8-31)")" "$good"
  make_image app:latest '["sh","-c","sleep 0.3; exit 3"]'
  deploy app:latest
  docker rmi app:1.0 >/dev/null # seadog's own tag is what is left
  docker image prune -f >/dev/null
  wait_until 60 runs_image "$good"
  wait_until 60 closed_as recovered
  wait_until 30 alone
  expect "$(docker exec web cat /data/file)" kept
  expect "$(inspect web '{{index .Config.Labels "tier"}}')" front
}

@test "29: a target that loops too is taken back" {
  make_image app:1.0 '["sh","-c","sleep 86400"]'
  make_image app:bad '["sh","-c","sleep 0.3; exit 4"]'
  configure <<<$'[defaults]\nverify = 4s'
  watch
  deploy app:1.0
  before=$(inspect web '{{.Id}}')
  wait_until 20 verdict_is web well
  run -1 seadog rollback web --to app:bad
  wait_until 30 runs_image "$(image app:1.0)"
  wait_until 30 alone
  expect "$(inspect web '{{.Id}}')" "$before"
}
