#!/usr/bin/env bats
# A pinned image that was pruned is asked of its registry again, by its digest: a real one, which lets in who is in its list.

# shellcheck disable=SC2154 # home, log and program come from there
load lib

place=127.0.0.1:5000/acme/web

# It listens where the Engine does, and nowhere else: in the Engine's own network namespace.
start_registry() {
  local dir=$E2E_DIR/registry
  [ -x "$(command -v docker-registry)" ] || skip "there is no docker-registry here"
  mkdir -p "$dir"
  # of captain:ahoy
  printf '%s\n' "captain:$(perl -e 'print crypt("ahoy", "\$2y\$05\$seadogseadogseadogseaO")')" >"$dir/htpasswd"
  cat >"$dir/config.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $dir/data}}
http: {addr: "127.0.0.1:5000"}
auth: {htpasswd: {realm: seadog, path: $dir/htpasswd}}
END
  nsenter -t "$(cat "$E2E_DIR/docker.pid")" -n docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 </dev/null 3>&- &
  registry=$!
  wait_until 20 listens
}
listens() { nsenter -t "$(cat "$E2E_DIR/docker.pid")" -n curl -s -o /dev/null http://127.0.0.1:5000/v2/; }

teardown() {
  [ -z "${registry:-}" ] || kill "$registry" 2>/dev/null || true
  common_teardown
}

# What `docker login` would have written; seadog reads it where DOCKER_CONFIG says.
log_in() {
  mkdir -p "$home/client"
  echo "$1" >"$home/client/config.json"
  export DOCKER_CONFIG=$home/client
}
by_name="{\"auths\":{\"127.0.0.1:5000\":{\"auth\":\"$(printf captain:ahoy | base64)\"}}}"
by_helper='{"auths":{"127.0.0.1:5000":{}},"credsStore":"seadog-test"}'

make_image() {
  docker rm -f maker >/dev/null 2>&1 || true
  docker create --name maker bb:1 true
  docker commit --change "CMD $2" maker "$1"
  docker rm maker
} >/dev/null

# 1.0 has run and is pinned; then 1.1 is deployed, and everything of 1.0 is pruned: its name, its digest, seadog's own tag.
deploy_and_prune() {
  log_in "$by_name"
  make_image "$place:1.0" "[\"sh\",\"-c\",\"echo $1; sleep 86400\"]"
  make_image app:1.1 '["sh","-c","sleep 0.3; exit 3"]'
  docker push -q "$place:1.0"
  good=$(docker image inspect -f '{{.Id}}' "$place:1.0")
  docker run -d --name web --restart always "$place:1.0"
  configure <<<$'[defaults]\non_restarts = rollback, stop\nverify = 3s\ngood_after = 1h'
  watch
  seadog pin web
  docker rm -f web
  docker image prune -af
  run ! docker image inspect "$good"
} >/dev/null
break_web() { docker run -d --name web --restart always app:1.1 >/dev/null; }
prune_keeps_app() { make_image app:1.1 '["sh","-c","sleep 0.3; exit 3"]'; }

web_runs() { [ "$(inspect web '{{.Image}} {{.State.Running}}' 2>/dev/null)" = "$1 true" ]; }
closed_as() { [ "$(incident 1 '.outcome // "open"')" = "$1" ]; }

@test "28: the target was pruned: it is pulled again by its digest, with what the client's file knows of its registry" {
  start_registry
  deploy_and_prune one
  engine image "$E2E_DIR" bb:1
  prune_keeps_app
  break_web
  wait_until 60 web_runs "$good"
  wait_until 60 closed_as recovered
  expect "$(docker image inspect -f '{{.Id}}' "seadog/keep:$(echo "$good" | cut -c8-31)")" "$good"
  run ! grep -q ahoy "$log"
}

@test "28: by hand: rehearsed, nothing is pulled; pin --pull fetches what is not here" {
  start_registry
  deploy_and_prune two
  engine image "$E2E_DIR" bb:1
  docker run -d --name web --restart always bb:1 sleep 86400 >/dev/null
  run -5 seadog rollback web --dry-run
  expect_like "$output" 'is gone: .*it would be pulled again: 127.0.0.1:5000/acme/web@sha256:'
  run -4 seadog pin web "$place:1.0"
  run -0 seadog pin web "$place:1.0" --pull
  expect "$(docker image inspect -f '{{.Id}}' "$place:1.0")" "$good"
  run -0 seadog rollback web
  web_runs "$good"
}

@test "28: where a helper keeps what the registry wants to know, none is run, the next rung is taken, and why is said" {
  start_registry
  deploy_and_prune three
  engine image "$E2E_DIR" bb:1
  prune_keeps_app
  end_watch
  log_in "$by_helper"
  mkdir "$home/bin"
  printf '#!/bin/sh\ntouch "%s/was-run"\nexit 1\n' "$home" >"$home/bin/docker-credential-seadog-test"
  chmod 755 "$home/bin/docker-credential-seadog-test"
  PATH=$home/bin:$PATH watch
  break_web
  wait_until 60 is_held web
  expect_like "$(incident 1 '.steps[0] | .action + " " + .result + " " + .detail')" \
    '^rollback skipped the image to go back to is gone: .*docker-credential-seadog-test, and seadog runs no such program'
  [ ! -e "$home/was-run" ]
  # Nothing was touched before that: it is the container that was deployed.
  expect "$(inspect web '{{.Config.Image}}')" app:1.1
}
